"""A month's orders as an event log: read from the tables in one snapshot, all of them, by nobody's name."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bench.insight.planting import PlantedOrder, plant_orders
from domain.insight.ocel import OcelLog
from domain.insight.periods import month
from store.insight.lives import LifeReader
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.stock.ledger import StockStore
from tests.store.cases import a_case, an_arrived_order

NOVEMBER = month("2026-11")


async def written(pool: Pool, name: str) -> dict[str, Any]:
    log = OcelLog()
    text = log.begin()
    async for life in LifeReader(pool).placed_in(month(name)):
        text += log.add(life)
    made: dict[str, Any] = json.loads(text + log.end())
    return made


async def test_a_life_is_told_with_what_belongs_to_it_and_without_what_people_wrote(pool: Pool) -> None:
    await an_arrived_order(OrderStore(pool), StockStore(pool))
    await a_case(ReturnStore(pool), pool, description="canary was said")
    log = await written(pool, "2026-11")
    ids = {o["id"] for o in log["objects"]}
    assert {"order:SO20261120", "child:SO20261120-01", "payment:SO20261120/1", "return:RT20261120"} <= ids
    assert {"order placed", "order paid", "return.apply"} <= {e["type"] for e in log["events"]}
    said = {r["objectId"] for thing in (*log["objects"], *log["events"]) for r in thing["relationships"]}
    assert said <= ids
    text = json.dumps(log, ensure_ascii=False)
    for canary in ("canary", "王芳", "13800138000", "文三路", "杭州", '"b-1"'):
        assert canary not in text


async def test_orders_are_of_the_month_of_placing_and_none_is_left_out_between_two_readings(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.insight.lives.AT_ONCE", 2)
    at = NOVEMBER.since
    orders = [PlantedOrder(f"SO-000{n}", "上海市", at + timedelta(minutes=n // 2), at) for n in range(5)]
    await plant_orders(pool, [*orders, PlantedOrder("BEFORE-1", "上海市", at - timedelta(seconds=1), at)])
    log = await written(pool, "2026-11")
    assert [o["id"] for o in log["objects"] if o["type"] == "order"] == [f"order:SO-000{n}" for n in range(5)]
