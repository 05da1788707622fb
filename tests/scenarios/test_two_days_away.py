"""Temporal or PostgreSQL is away for 48 hours, on skipped time: nothing is lost, and everything goes on by itself."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.facts import Kind
from domain.states import OrderStatus
from store.tickets.tickets import TicketStore
from tests.workflows.play import kinds
from workflows.messages import FACTS, FactBatch
from workflows.order.messages import OrderView

HOURS = 48
A_WHILE = timedelta(minutes=10)
FEW_EVENTS = 40


async def placed(house: ScenarioEnvironment, number: str) -> ScenarioOrder:
    return await stocked(house, OrderIn(order_no=number, lines=(LineIn(id="L1", sku=number, qty=1, unit_price=5_000),)))


async def on_its_way(house: ScenarioEnvironment, number: str) -> ScenarioOrder:
    life = await placed(house, number)
    await life.pay()
    await life.ships(1)
    return life


async def events(life: ScenarioOrder) -> int:
    """Without those that only skipped time leaves."""
    return kinds(await life.handle.fetch_history()).total()


# --- Temporal ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def without_temporal(servers: Servers) -> AsyncIterator[None]:
    await asyncio.to_thread(servers.temporal.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(servers.temporal.start)


async def test_what_is_told_while_temporal_is_away_for_two_days_is_taken_in_and_delivered_after() -> None:
    async with Servers() as servers, servers.house() as house:
        shipped = await on_its_way(house, "AWAY-SHIPPED")
        paying, unpaid = await placed(house, "AWAY-PAYING"), await placed(house, "AWAY-UNPAID")
        before, at = await events(shipped), house.now()
        async with without_temporal(servers):
            await house.take_in(house.systems.pays("AWAY-PAYING", 5_000, at))
            for hour in range(HOURS):
                house.clocks.elapse(timedelta(hours=1))
                scan = shipped.fact(Kind.IN_TRANSIT, at=at)  # before the clocks of workflows that do not run now
                await house.take_in(scan.model_copy(update={"key": f"{scan.key} {hour}"}))
            await house.take_in(shipped.fact(Kind.SIGNED, at=at))
            waiting = await house.pool.fetchval("SELECT count(*) FROM inbox WHERE state = 'received'")
            assert waiting == HOURS + 2
        await house.clocks.catch_up()
        await house.delivered()
        await house.rest()
        assert await shipped.status() is OrderStatus.DELIVERED
        assert Counter(row["key"] for row in await shipped.events())[shipped.fact(Kind.SIGNED).key] == 1
        assert await events(shipped) - before < FEW_EVENTS
        assert house.systems.pushed.count(paying.child_no(1)) == 1, "paid in time, although nobody could tell its order"
        assert (await unpaid.detail()).order.status == "CLOSED"
        assert not await TicketStore(house.pool).list()


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def without_postgres(servers: Servers) -> AsyncIterator[None]:
    await asyncio.to_thread(servers.postgres.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(servers.postgres.start)


def waits_for_the_store(view: OrderView) -> bool:
    """Told to people, once."""
    return [(t.system, t.severity) for t in view.open_tickets if t.step == "step in our books"] == [("store", "urgent")]


@pytest.mark.timeout(300)
async def test_a_database_that_is_away_for_two_days_is_told_to_people_and_everything_goes_on_after() -> None:
    async with Servers() as servers, servers.house() as house:
        life = await placed(house, "AWAY-SHIPPING")
        await life.pay()
        before = await events(life)
        async with without_postgres(servers):
            for kind in (Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED):  # in the relay's hand when it went away
                await life.handle.signal(FACTS, FactBatch(facts=(life.fact(kind),)))
            for _ in range(HOURS // 3):
                await house.pass_until(house.now() + timedelta(hours=3))
            assert waits_for_the_store(await life.view())
            assert await events(life) - before < FEW_EVENTS
        await house.pass_until(house.now() + A_WHILE)
        assert (await life.view()).open_tickets == ()
        assert (await life.detail()).order.status == "SHIPPED"
        told = await house.pool.fetch("SELECT state, action FROM tickets WHERE step = 'step in our books'")
        assert [tuple(row) for row in told] == [("resolved", "evidence")]
        await life.happens(Kind.SIGNED)  # through the relay, which has found the database again
        assert (await life.detail()).order.status == "DELIVERED"
