"""SIGKILL in the middle: the supervisor starts the program again, and nothing is lost or doubled."""

import asyncio
from collections import Counter

import pytest
from rich.console import Console

from bench.demo.environment import DemoEnvironment
from bench.faults.chaos import kill
from bench.faults.load import Load
from tests.e2e.lives import orders_with_goods, the_books_are_right

ORDERS = 15


@pytest.mark.timeout(240)
async def test_killed_worker_relay_and_temporal_lose_and_double_nothing(
    stage: DemoEnvironment, replayed: Counter[str]
) -> None:
    orders = await orders_with_goods(stage, ORDERS)
    load = Load(stage, orders, per_second=5)

    async def once(reached: int, *statuses: str) -> None:
        """So many orders are there, or further."""
        while sum(s.ended or s.status in statuses for s in stage.seen.values()) < reached:
            await asyncio.sleep(0.05)

    async def kills() -> list[int]:
        moments = []
        for name, reached, statuses in (
            ("relay", 2, ("AWAITING_SHIPMENT", "PARTIALLY_SHIPPED", "SHIPPED", "DELIVERED", "COMPLETED")),
            ("worker", 2, ("PARTIALLY_SHIPPED", "SHIPPED", "DELIVERED", "COMPLETED")),
            ("temporal", 1, ("DELIVERED", "COMPLETED")),
        ):
            await once(reached, *statuses)
            moments.append(sum(s.ended for s in stage.seen.values()))
            await kill(name, lambda _line: None)
        return moments

    troubles, ended_at_kills = await asyncio.gather(load.run(Console(quiet=True)), kills())
    assert troubles == []
    assert max(ended_at_kills) < ORDERS, "the last kill came too late to hit anything"
    assert {stage.seen[order.order_no].status for order in orders} == {"COMPLETED"}
    await the_books_are_right(stage, replayed)
