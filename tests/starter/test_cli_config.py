"""`oms config` and `oms event stats`: what they show is what the store and the environment hold."""

import hashlib
from datetime import UTC, datetime

import pytest

from store.inbox.inbox import InboxStore, Incoming, RefusedMessage
from store.pool import Pool
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import Store, store

__all__ = ["database_url", "store"]


def test_stats_show_the_board_with_its_reasons(oms: Oms, store: Store) -> None:
    async def seed(pool: Pool) -> None:
        now, nobody = datetime.now(UTC), bytes(32)
        inbox = InboxStore(pool)
        await inbox.add_many([Incoming("wechat", f"e-{n}", "k", nobody, b"{}", (), now) for n in range(3)])
        await inbox.refuse_many([RefusedMessage("wechat", "203.0.113.9", "signature", "no", nobody, now)])
        await inbox.refuse_many([RefusedMessage("tms", "203.0.113.9", "stale", "no", nobody, now)])

    store(seed)
    said = oms("event", "stats").out
    assert "75.00 %" in said and "███████████████·····" in said and "signature 1" in said
    assert "3 of 5 callbacks were accepted: 60.00 %." in said
    found = oms("event", "stats", "--source", "tms", "--since", "7d", "--json").json
    assert found["total_bp"] == 0
    assert [(b["source"], b["received"], b["refused"]) for b in found["buckets"]] == [("tms", 1, {"stale": 1})]
    assert oms("event", "stats", "--source", "'; DROP TABLE inbox", "--json").json == {"total_bp": None, "buckets": []}


def test_check_names_mistakes_and_never_a_value(oms: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_ENVIRONMENT", "prod")
    monkeypatch.delenv("OMS_QIMEN_SECRET", raising=False)
    monkeypatch.setenv("OMS_TMS_TOKEN", "a-token-of-tests")
    monkeypatch.setenv("OMS_TMS_TOKEN_TAG", "test")
    said = oms("config", "check", "--json")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert said.json["start_allowed"] is False
    assert {"name": "OMS_TMS_TOKEN", "code": "ENVIRONMENT_MIXED"} in said.json["violations"]
    assert {"name": "OMS_QIMEN_SECRET", "code": "MISSING"} in said.json["violations"]
    (token,) = [item for item in said.json["items"] if item["name"] == "OMS_TMS_TOKEN"]
    assert token["fingerprint"] == hashlib.sha256(b"a-token-of-tests").hexdigest()[:12]
    for text in (said.out, said.err, oms("config", "check").out):
        assert "a-token-of-tests" not in text


def test_check_of_an_environment_that_does_not_exist_is_bad_input(oms: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_ENVIRONMENT", "production")
    said = oms("config", "check")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
