"""Receivers that go away and come back: disabled aloud, enabled by people, told again on request."""

from datetime import timedelta

from relay.outbound.retry_schedule import USUAL_S
from tests.outbound.conftest import Receiver, World
from tests.outbound.happenings import ONE, an_event, paid


async def test_410_disables_at_once_with_a_ticket_and_only_a_person_enables(world: World, receiver: Receiver) -> None:
    receiver.says(410)
    await an_event(world, receiver.url)
    await world.turn()
    (subscription,) = await world.subscriptions.list()
    assert (subscription.state, subscription.waiting) == ("disabled", 1)
    (ticket,) = await world.tickets.list()
    assert (ticket.system, ticket.ticket_id) == ("subscription", "T-subscription-shop-1")
    assert "410" in ticket.error
    receiver.says(204)
    world.clock.forward(30 * 86_400)
    assert await world.turn() == 0
    await world.subscriptions.enable("shop", "anna", world.clock())
    assert await world.turn() == 1
    assert await world.tickets.list() == ()
    assert (await world.delivery()).state == "acknowledged"


async def test_five_days_of_failures_disable_with_a_ticket(world: World, receiver: Receiver) -> None:
    receiver.says(500)
    await an_event(world, receiver.url)
    await world.turn()
    for order_no, days in (("SO20261122", 4.9), ("SO20261123", 0.2)):
        assert (await world.subscriptions.list())[0].state == "enabled"
        world.clock.forward(days * 86_400)
        await paid(world.orders, world.clock(), order_no)
        await world.turn()
    (subscription,) = await world.subscriptions.list()
    assert subscription.state == "disabled"
    assert [t.system for t in await world.tickets.list()] == ["subscription"]
    assert "5 days" in subscription.why


async def test_one_success_ends_a_run_of_failures(world: World, receiver: Receiver) -> None:
    receiver.says(500)
    await an_event(world, receiver.url)
    await world.turn()
    for order_no, status, days in (("SO20261122", 204, 4), ("SO20261123", 500, 1.1), ("SO20261124", 500, 1)):
        receiver.says(status)
        world.clock.forward(days * 86_400)
        await paid(world.orders, world.clock(), order_no)
        await world.turn()
    assert (await world.subscriptions.list())[0].state == "enabled"


async def test_events_that_were_given_up_are_sent_again_on_request(world: World, receiver: Receiver) -> None:
    receiver.says(500)
    await world.subscribe(receiver.url, types=ONE)
    began = world.clock()
    for n in range(3):
        await paid(world.orders, world.clock(), f"SO2026{n:04}")
    for wait in (0, *USUAL_S):
        world.clock.forward(wait)
        await world.turn()
    assert {d.state for d in await world.subscriptions.deliveries("shop")} == {"failed"}
    receiver.says(204)
    receiver.heard.clear()
    again = world.subscriptions.redeliver
    assert await again("shop", "anna", world.clock(), failed_since=world.clock() + timedelta(seconds=1)) == 0
    assert await again("shop", "anna", world.clock(), failed_since=began) == 3
    await world.turn()
    assert len(set(receiver.ids)) == 3
    # One that has been acknowledged too: whoever lost it can ask for it.
    event_id = receiver.ids[0]
    assert await again("shop", "anna", world.clock(), event_id=event_id) == 1
    await world.turn()
    assert receiver.ids.count(event_id) == 2


async def test_a_removed_subscription_hears_nothing_more(world: World, receiver: Receiver) -> None:
    await an_event(world, receiver.url)
    await world.subscriptions.remove("shop", "anna", world.clock())
    assert await world.turn() == 0
    assert (await world.delivery()).state == "dropped"


async def test_old_events_are_forgotten_with_their_attempts(world: World, receiver: Receiver) -> None:
    await an_event(world, receiver.url)
    await world.turn()
    world.clock.forward(29 * 86_400)
    await paid(world.orders, world.clock(), "SO20261129")
    await world.care.look()
    assert await world.pool.fetchval("SELECT count(*) FROM outbox") == 2
    world.clock.forward(2 * 86_400)
    await world.care.look()
    assert await world.pool.fetchval("SELECT count(*) FROM outbox") == 1
    assert await world.pool.fetchval("SELECT count(*) FROM delivery_attempts") == 0
