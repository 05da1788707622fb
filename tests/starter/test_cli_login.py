"""Who acts: signed in on a developer's stack, never somebody who is only named elsewhere."""

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.approvals import Role
from store.approvals.people import PeopleStore
from store.pool import open_pool
from store.rules.rule_sets import RuleSetStore
from tests.postgres import database_url
from tests.starter.conftest import EXAMPLES, Oms

__all__ = ["database_url"]


@pytest.fixture(autouse=True)
def people(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OMS_DATABASE_URL", database_url)

    async def add() -> None:
        pool = await open_pool(database_url, max_size=2)
        try:
            await PeopleStore(pool).add("u-sup", [Role.CS_SUPERVISOR], "u-admin", datetime.now(UTC))
            await PeopleStore(pool).add("u-gone", [Role.CS_SUPERVISOR], "u-admin", datetime.now(UTC))
            await RuleSetStore(pool).ensure_built_in(datetime.now(UTC))
            await PeopleStore(pool).set_active("u-gone", False, "u-admin", datetime.now(UTC))
        finally:
            await pool.close()

    asyncio.run(add())
    yield


def session_file() -> Path:
    return Path(os.environ["OMS_STATE_DIR"]) / "session.json"


@pytest.mark.usefixtures("at_desk")
def test_who_signs_in_acts_until_they_sign_out(oms: Oms) -> None:
    assert oms("whoami").code == 1
    assert oms("login", "--as", "u-ed").code == 0
    assert session_file().stat().st_mode & 0o777 == 0o600
    assert oms("whoami", "--json").json["person"] == "u-ed"
    assert oms("rules", "draft", str(EXAMPLES / "rules.json")).code == 0
    assert oms("audit", "list", "--actor", "u-ed", "--json").json[0]["action"] == "rules.draft"
    assert oms("logout", "--json").json == {"signed_out": True}
    assert oms("logout", "--json").json == {"signed_out": False}
    assert oms("whoami").code == 1


@pytest.mark.parametrize(("person", "why"), [("u-nobody", "not known"), ("u-gone", "deactivated"), ("a b", "usable")])
def test_nobody_else_can_sign_in(oms: Oms, person: str, why: str) -> None:
    said = oms("login", "--as", person)
    assert (said.code in (1, 2), why in said.err) == (True, True)
    assert not session_file().exists()


def test_a_session_ends_and_one_that_others_can_write_is_not_believed(oms: Oms) -> None:
    assert oms("login", "--as", "u-sup").code == 0
    session_file().chmod(0o666)
    assert oms("whoami").code == 1
    session_file().chmod(0o600)
    assert oms("whoami").code == 0
    over = {"person": "u-sup", "until": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}
    session_file().write_text(json.dumps(over))
    assert oms("whoami").code == 1


@pytest.mark.parametrize("environment", ["test", "prod", ""])
@pytest.mark.parametrize(
    "words",
    [
        ("people", "add", "u-x", "--by", "u-sup"),
        ("order", "cancel", "SO2603020101", "--reason", "r", "--by", "u-sup"),
        ("ticket", "resolve", "T-1", "--retry", "--remark", "r", "--by", "u-sup"),
        ("return", "receive", "CODE1234", "--by", "u-sup"),
    ],
)
def test_outside_a_developers_stack_nobody_acts_under_a_name_that_they_give(
    oms: Oms, monkeypatch: pytest.MonkeyPatch, environment: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OMS_ENVIRONMENT", environment)
    said = oms(*words)
    assert (said.code, "developer's stack" in said.err) == (3, True), said
    assert [p["person_id"] for p in oms("people", "list", "--json").json] == ["u-gone", "u-sup"]


def test_outside_a_developers_stack_nobody_signs_in_at_the_local_issuer(
    oms: Oms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMS_ENVIRONMENT", "prod")
    assert oms("login", "--as", "u-sup").code == 1
    assert not session_file().exists()
