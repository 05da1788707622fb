"""`oms api-token` on a real worker and database: asked for by one administrator, decided by another, revoked by one."""

from pathlib import Path

import pytest

from providers.tokens.api_tokens import key_of
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_controls import decided, until_made
from tests.starter.test_cli_rules import past_orders, store

__all__ = ["database_url", "past_orders", "store"]


def test_a_token_is_shown_once_counts_by_two_and_is_revoked_by_one(oms: Oms) -> None:
    said = oms("api-token", "add", "erp", "--scope", "orders:write", "--channel", "tmall", "--by", "u-admin")
    assert said.code == 0, said
    assert "! api/erp" in said.out and "gets orders:write of tmall" in said.out
    text = said.out.splitlines()[-1]
    key = key_of(text)
    assert key is not None and oms("api-token", "list", "--json").json == []
    assert decided(oms, "A-people/api/erp-1", "u-admin2").code == 0
    until_made(lambda: oms("api-token", "list", "--json").json)
    shown = oms("api-token", "list").out
    assert key.key_id in shown and "live" in shown and text not in shown
    said = oms("api-token", "revoke", "erp", key.key_id, "--by", "u-admin")
    assert said.code == 0, said
    assert oms("api-token", "list", "--json").json[0]["state"] == "revoked"
    assert oms("api-token", "revoke", "erp", key.key_id, "--by", "u-admin").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "ERP", "--scope", "orders:read"), ("add", "erp", "--scope", "everything"), ("add", "erp"),
        ("add", "erp", "--scope", "orders:read", "--days", "1000"), ("revoke", "erp", "1"),
        ("add", "erp", "--scope", "orders:read", "--channel", "two words"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_token_is_bad_input(oms: Oms, arguments: tuple[str, ...]) -> None:
    assert oms("api-token", *arguments, "--by", "u-admin").code == 2


def test_a_text_made_before_is_asked_for_and_not_shown_again(oms: Oms, tmp_path: Path) -> None:
    text = oms("api-token", "text").out.strip()
    (tmp_path / "erp.token").write_text(text + "\n")
    said = oms(
        "api-token", "add", "erp", "--scope", "events:read", "--from", str(tmp_path / "erp.token"), "--by", "u-admin"
    )
    assert said.code == 0 and text not in said.out
    (tmp_path / "erp.token").write_text("something else")
    said = oms(
        "api-token", "add", "erp", "--scope", "events:read", "--from", str(tmp_path / "erp.token"), "--by", "u-admin"
    )
    assert said.code == 2
