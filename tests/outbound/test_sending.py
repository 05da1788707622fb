"""How events reach their receivers: signed, by one sender at a time, each its share."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import datetime

import pytest
from standardwebhooks import Webhook as Oracle
from starlette.responses import Response

from config.settings import OutboundSettings
from domain.outbound.published import SubscriberRole
from domain.policy import Policy
from domain.records import SettlePayment
from domain.states import OrderStatus
from relay.outbound.assembly import sending
from relay.outbound.retry_schedule import RetrySchedule
from store.pool import Pool
from tests.outbound.conftest import REF, SECRET, Clock, Receiver, World, a_sender, receiving
from tests.outbound.happenings import ONE, ORDER, an_event, paid
from tests.store.examples import a_payment, a_write, an_order


async def test_another_implementation_takes_our_signature(world: World, receiver: Receiver) -> None:
    await an_event(world, receiver.url)
    assert await world.turn() == 1
    (heard,) = receiver.heard
    message = Oracle(SECRET).verify(heard.body, heard.headers)
    assert message["type"] == "payment.received"
    assert message["data"]["order_no"] == ORDER
    assert heard.headers["content-type"] == "application/json"
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
    assert (await world.delivery()).state == "acknowledged"
    assert await world.turn() == 0


async def test_while_a_secret_is_changed_both_fit(pool: Pool, world: World, receiver: Receiver) -> None:
    new = SECRET[:-8] + "AAAABBBB"
    await an_event(world, receiver.url)
    async with a_sender(pool, world.clock, secret=f"{new}, {SECRET}") as sender:
        await asyncio.gather(*await sender.turn())
    (heard,) = receiver.heard
    for secret in (SECRET, new):
        assert Oracle(secret).verify(heard.body, heard.headers)


async def test_two_senders_share_the_work_and_never_make_one_attempt_twice(
    pool: Pool, clock: Clock, world: World
) -> None:
    receiver_takes = 0.02
    async with receiving() as receiver, AsyncExitStack() as stack:
        receiver.takes_s = receiver_takes
        await world.subscribe(receiver.url, types=ONE)
        for n in range(60):
            await paid(world.orders, clock(), f"SO2026{n:04}")
        senders = [await stack.enter_async_context(a_sender(pool, clock)) for _ in range(3)]

        async def work(turns: int = 30) -> None:
            async def one(sender: object) -> None:
                for _ in range(turns):
                    begun = await sender.turn()  # type: ignore[attr-defined]
                    await asyncio.gather(*begun)

            await asyncio.gather(*(one(s) for s in senders))

        await work()
    assert len(receiver.ids) == len(set(receiver.ids)) == 60
    assert await pool.fetchval("SELECT count(*) FROM delivery_attempts") == 60
    assert await pool.fetchval("SELECT count(*) FROM deliveries WHERE state = 'acknowledged'") == 60


async def test_a_subscription_gets_no_more_at_once_than_its_share_and_blocks_no_other(
    pool: Pool, clock: Clock, world: World, receiver: Receiver
) -> None:
    async with receiving() as slow:
        slow.takes_s = 0.3
        await world.subscribe(slow.url, name="slow", types=ONE)
        await world.subscribe(receiver.url, name="quick", types=ONE)
        for n in range(20):
            await paid(world.orders, clock(), f"SO2026{n:04}")
        async with a_sender(pool, clock, RetrySchedule(attempt_s=2, most=4)) as sender:
            tasks = [task for _ in range(3) for task in await sender.turn()]
            assert len(tasks) == 8, "four each, and no more while these are under way"
            await asyncio.sleep(0.15)
            assert len(receiver.heard) == 4
            tasks += await sender.turn()
            assert len(tasks) == 12
            await asyncio.gather(*tasks)
            assert slow.most_at_once == 4


async def test_a_delivery_that_is_being_claimed_holds_up_no_other(pool: Pool, world: World, receiver: Receiver) -> None:
    await world.subscribe(receiver.url, types=ONE)
    for n in range(3):
        await paid(world.orders, world.clock(), f"SO2026{n:04}")
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM deliveries ORDER BY id LIMIT 1 FOR NO KEY UPDATE")
        async with asyncio.timeout(5):
            assert await world.turn() == 2
    assert await world.turn() == 1


async def test_the_attempt_of_a_dead_relay_is_made_again_after_its_lease(
    pool: Pool, clock: Clock, world: World, receiver: Receiver
) -> None:
    await an_event(world, receiver.url)
    async with a_sender(pool, clock) as dying:
        for task in await dying.turn():
            task.cancel()
    assert receiver.heard == []
    clock.forward(59)
    assert await world.turn() == 0
    clock.forward(2)
    assert await world.turn() == 1
    lost, made = (await world.delivery()).tries
    assert (lost.outcome, made.outcome) == (None, "acknowledged")
    assert made.n == 2


async def test_a_relay_that_slept_over_its_lease_sends_nothing(
    pool: Pool, clock: Clock, world: World, receiver: Receiver
) -> None:
    await an_event(world, receiver.url)
    async with a_sender(pool, clock) as sleepy:
        begun = await sleepy.turn()
        clock.forward(61)
        await asyncio.gather(*begun)
        assert receiver.heard == []
        await asyncio.gather(*await sleepy.turn())
    assert len(receiver.heard) == 1


async def test_an_address_that_leads_inside_is_never_called(world: World, receiver: Receiver) -> None:
    inside = "https://169.254.169.254/latest"
    await an_event(world, inside)
    await world.turn()
    assert (await world.delivery()).last_outcome == "unsafe"
    assert "not a public address" in (await world.delivery()).tries[0].note


@pytest.mark.parametrize("secret", ["", "whsec_short", "no secret at all"])
async def test_without_a_usable_secret_nothing_is_sent_and_the_secret_is_not_shown(
    pool: Pool, clock: Clock, world: World, receiver: Receiver, secret: str
) -> None:
    await an_event(world, receiver.url)
    async with a_sender(pool, clock, secret=secret) as sender:
        await asyncio.gather(*await sender.turn())
    assert receiver.heard == []
    attempt = (await world.delivery()).tries[0]
    assert attempt.outcome == "unsigned"
    assert REF in attempt.note
    assert not secret or secret not in attempt.note


async def test_the_loop_itself_tells_four_roles_what_happens(
    pool: Pool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R74: four signed subscriptions, from the write to the receivers, with the process's own assembly."""
    monkeypatch.setenv("OMS_ENV_FILE", "")
    monkeypatch.setenv("OMS_ENVIRONMENT", "test")
    monkeypatch.setenv(REF, SECRET)
    settings = OutboundSettings(loopback=True, speed=1_000)
    roles = (SubscriberRole.MARKETING, SubscriberRole.SALES, SubscriberRole.WAREHOUSE, SubscriberRole.FINANCE)
    async with AsyncExitStack() as stack:
        receivers = {role: await stack.enter_async_context(receiving()) for role in roles}
        for role, receiver in receivers.items():
            await world.subscribe(receiver.url, role, role.value)
        flaky = iter([500, 204])
        receivers[SubscriberRole.MARKETING].answer = lambda _: _status(next(flaky, 204))
        await stack.enter_async_context(sending(pool, settings, lambda: datetime.now(world.clock.at.tzinfo)))
        await world.orders.register(an_order(), "run-1", world.clock())
        await world.orders.settle(SettlePayment(write=a_write(payment=a_payment(), at=world.clock()), policy=Policy()))
        await world.orders.write(a_write(seq=2, status=OrderStatus.SHIPPED, at=world.clock()))
        async with asyncio.timeout(20):
            while await pool.fetchval("SELECT count(*) FROM deliveries WHERE state <> 'acknowledged'"):
                await asyncio.sleep(0.02)
    for receiver in receivers.values():
        for heard in receiver.heard:
            assert Oracle(SECRET).verify(heard.body, heard.headers)
    types = {
        role: sorted(json.loads(h.body)["type"] for h in receiver.heard)
        for role, receiver in receivers.items()
        if role is not SubscriberRole.MARKETING
    }
    assert types == {
        SubscriberRole.SALES: [*["order.status_changed"] * 2, *["parcel.status_changed"] * 2, "payment.received"],
        SubscriberRole.WAREHOUSE: ["parcel.status_changed"] * 2,
        SubscriberRole.FINANCE: ["payment.received"],
    }
    assert len(set(receivers[SubscriberRole.MARKETING].ids)) == 2
    assert len(receivers[SubscriberRole.MARKETING].ids) == 3


def _status(code: int) -> Response:
    return Response(status_code=code)
