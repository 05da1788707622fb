"""`oms report reconcile` shows a day as the store has it, and says so when a day was not compared."""

import asyncio
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.logins import as_role
from domain.order import StartOrder
from domain.polling.reconciling import Drift
from domain.strict import parse
from store.orders.orders import OrderStore
from store.polling.polling import PullStore, Tick
from store.polling.reconciling import ReconcileStore
from store.pool import open_pool
from tests.postgres import database_url
from tests.starter.conftest import EXAMPLES, Oms

__all__ = ["database_url"]

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
DAY = date(2026, 3, 2)


@pytest.fixture
def compared(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A day with one difference; its order number."""
    order = parse(StartOrder, (EXAMPLES / "order.json").read_bytes())

    async def seed() -> None:
        pool = await open_pool(database_url, max_size=2)
        await OrderStore(pool).register(order, "run-1", NOW)
        store = ReconcileStore(pool)
        await store.note(DAY, [Drift(order.order_no, "payment", order.order_no, "wechat:pay:1", "CREATED")], NOW)
        await store.done(DAY, 7, 21, 2, NOW)
        await PullStore(pool).note("wechat", Tick(asked=3, found=1), NOW, 4)
        await pool.close()

    monkeypatch.setenv("OMS_DATABASE_URL", as_role(database_url, "oms_operator"))
    asyncio.run(seed())
    return order.order_no


def test_a_day_is_shown_to_people(compared: str, oms: Oms) -> None:
    said = oms("report", "reconcile", "--day", "2026-03-02")
    assert said.code == 0
    assert "2026-03-02: 7 orders compared, 21 questions asked, 2 left without an answer." in said.out
    assert compared in said.out and "wechat:pay:1" in said.out


def test_a_day_is_shown_to_machines(compared: str, oms: Oms) -> None:
    report: dict[str, Any] = oms("report", "reconcile", "--day", "2026-03-02", "--json").json
    assert report["day"] == "2026-03-02" and report["reconciled"]["looked_at"] == 7
    assert [(d["order_no"], d["expected"], d["healed_at"]) for d in report["drifts"]] == [
        (compared, "wechat:pay:1", None)
    ]
    assert report["accuracy"] == [{"source": "wechat", "transitions": 1, "in_step": 0, "accuracy_bp": 0}]
    assert [(c["connector"], c["found"]) for c in report["connectors"]] == [("wechat", 1)]


def test_a_day_that_was_not_compared_is_said_to_be_so(compared: str, oms: Oms) -> None:
    said = oms("report", "reconcile")
    assert said.code == 0 and "has not been reconciled" in said.out


def test_a_day_that_is_none_is_refused(oms: Oms) -> None:
    said = oms("report", "reconcile", "--day", "2026-02-30")
    assert said.code == 2 and "2026-02-30" in said.err


def test_an_event_log_is_written_whole_or_not_at_all(compared: str, oms: Oms, tmp_path: Path) -> None:
    out = tmp_path / "march.json"
    said = oms("report", "ocel", "--month", "2026-03", "--out", str(out))
    assert said.code == 0 and str(out) in said.out
    log = json.loads(out.read_text(encoding="utf-8"))
    assert f"order:{compared}" in {thing["id"] for thing in log["objects"]}
    refused = oms("report", "ocel", "--month", "2026-13", "--out", str(tmp_path / "no.json"))
    assert refused.code != 0 and "2026-13" in refused.err
    nowhere = oms("report", "ocel", "--month", "2026-03", "--out", str(tmp_path / "no/such.json"))
    assert nowhere.code != 0 and "cannot be written" in nowhere.err
    assert [path.name for path in tmp_path.iterdir()] == ["march.json"]
