"""When a failed attempt is followed by the next: the schedule of Standard Webhooks, on a clock moved by hand."""

from datetime import timedelta

import pytest
from standardwebhooks import Webhook as Oracle

from relay.outbound.retry_schedule import USUAL_S, wait_s
from tests.outbound.conftest import SECRET, Receiver, World
from tests.outbound.happenings import an_event, paid, seconds, until_due


async def test_retries_come_on_the_schedule_with_the_same_id_and_body(world: World, receiver: Receiver) -> None:
    receiver.says(500)
    await an_event(world, receiver.url)
    for _ in range(len(USUAL_S) + 1):
        await until_due(world)
        world.clock.forward(-0.001)
        assert await world.turn() == 0, "too early"
        world.clock.forward(0.001)
        assert await world.turn() == 1
    begun = [0]
    for wait in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600):
        begun.append(begun[-1] + wait)
    assert await seconds(world) == begun
    assert len(set(receiver.ids)) == len({h.body for h in receiver.heard}) == 1
    delivery = await world.delivery()
    assert (delivery.state, delivery.last_outcome, delivery.last_status) == ("failed", "broken", 500)
    world.clock.forward(10 * 86_400)
    assert await world.turn() == 0


async def test_every_attempt_carries_its_own_time(world: World, receiver: Receiver) -> None:
    receiver.says(500)
    await an_event(world, receiver.url)
    await world.turn()
    world.clock.forward(5)
    await world.turn()
    first, second = (int(h.headers["webhook-timestamp"]) for h in receiver.heard)
    assert second - first == 5
    for heard in receiver.heard:
        assert Oracle(SECRET).verify(heard.body, heard.headers)


def test_jitter_only_lengthens_and_never_for_what_must_be_acknowledged() -> None:
    for failures in range(1, len(USUAL_S) + 1):
        assert wait_s(failures, needs_ack=False, chance=0.0) == USUAL_S[failures - 1]
        longest = wait_s(failures, needs_ack=False, chance=1.0)
        assert longest == pytest.approx(USUAL_S[failures - 1] * 1.1)
    assert wait_s(len(USUAL_S) + 1, needs_ack=False, chance=0.0) is None
    assert [wait_s(n, needs_ack=True, chance=1.0) for n in (1, 2, 3)] == [5, 10, 20]


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 422, 500, 503, 599])
async def test_whatever_is_no_2xx_is_tried_again(world: World, receiver: Receiver, status: int) -> None:
    receiver.says(status, location="https://elsewhere.example/")
    await an_event(world, receiver.url)
    await world.turn()
    receiver.says(200)
    world.clock.forward(5)
    await world.turn()
    assert [t.status for t in (await world.delivery()).tries] == [status, 200]
    assert (await world.delivery()).state == "acknowledged"
    assert (await world.subscriptions.list())[0].failing_since is None


@pytest.mark.parametrize("status", [429, 502, 504])
async def test_a_throttling_receiver_is_left_alone_for_all_its_events(
    world: World, receiver: Receiver, status: int
) -> None:
    receiver.says(status, retry_after="120")
    await an_event(world, receiver.url)
    await world.turn()
    receiver.says(204)
    await paid(world.orders, world.clock(), "SO20261121")
    world.clock.forward(119)
    assert await world.turn() == 0
    world.clock.forward(1)
    assert await world.turn() == 2


async def test_retry_after_lengthens_a_wait_and_never_shortens_or_stretches_it_for_ever(
    world: World, receiver: Receiver
) -> None:
    receiver.says(503, retry_after="999999999")
    await an_event(world, receiver.url)
    await world.turn()
    assert (await world.delivery()).next_try_at == world.clock() + timedelta(hours=1)
    await until_due(world)
    receiver.says(503, retry_after="1")
    await world.turn()
    assert (await world.delivery()).next_try_at == world.clock() + timedelta(minutes=5)
