"""Finance hears of every refund that succeeded, and says so; else a person does (R05)."""

from domain.outbound.published import EventType, SubscriberRole
from domain.retries import Attempt, schedule
from tests.outbound.conftest import Clock, Receiver, World
from tests.outbound.happenings import ORDER, paid, refunded, seconds, until_due


async def test_finance_has_to_acknowledge_a_refund_or_a_ticket_opens(world: World, receiver: Receiver) -> None:
    receiver.says(500)
    await world.subscribe(receiver.url, SubscriberRole.FINANCE, types=(EventType.REFUND_SUCCEEDED,))
    await paid(world.orders, world.clock())
    await refunded(world.orders, world.clock())
    world.clock.forward(1)
    for wait in (5, 10, 20):
        await world.turn()
        assert await world.tickets.list() == ()
        world.clock.forward(wait)
    await world.turn()
    assert await seconds(world) == [0, 5, 15, 35]
    (ticket,) = await world.tickets.list()
    assert (ticket.system, ticket.step, ticket.order_no, ticket.severity) == (
        "finance",
        "refund notice",
        ORDER,
        "urgent",
    )
    assert (await world.delivery()).ticket_id == ticket.ticket_id
    # Delivery goes on, and the acknowledgement closes the ticket.
    await until_due(world)
    assert (await seconds(world))[-1] + 300 == round(
        (world.clock() - (await world.delivery()).tries[0].started_at).total_seconds()
    )
    receiver.says(200)
    await world.turn()
    (closed,) = await world.tickets.list(state=None)
    assert (closed.state, closed.action, closed.resolved_by) == ("resolved", "evidence", "relay")
    assert len(set(receiver.ids)) == 1


async def test_the_quick_tries_are_those_of_every_outside_call() -> None:
    """S20, finance_notice: the same rule decides (domain/retries)."""
    start = Clock().at
    played = schedule(start, 3, (5, 10, 20), 0, [Attempt(False, 0)] * 4)
    assert [round((a - start).total_seconds()) for a in played.attempts] == [0, 5, 15, 35]
    assert played.work_order_at is not None


async def test_a_refund_notice_that_succeeds_on_a_retry_opens_no_ticket(world: World, receiver: Receiver) -> None:
    receiver.says(503)
    await world.subscribe(receiver.url, SubscriberRole.FINANCE, types=(EventType.REFUND_SUCCEEDED,))
    await paid(world.orders, world.clock())
    await refunded(world.orders, world.clock())
    world.clock.forward(1)
    await world.turn()
    receiver.says(200)
    world.clock.forward(5)
    await world.turn()
    world.clock.forward(3_600)
    await world.care.look()
    assert await world.tickets.list(state=None) == ()


async def test_a_disabled_finance_subscription_does_not_hide_a_refund(world: World, receiver: Receiver) -> None:
    await world.subscribe(receiver.url, SubscriberRole.FINANCE, types=(EventType.REFUND_SUCCEEDED,))
    await world.subscriptions.disable("shop", "moves", "anna", world.clock())
    await paid(world.orders, world.clock())
    await refunded(world.orders, world.clock())
    world.clock.forward(299)
    await world.care.look()
    assert await world.tickets.list() == ()
    world.clock.forward(2)
    for _ in range(2):
        await world.care.look()
    (ticket,) = await world.tickets.list()
    assert (ticket.system, ticket.step) == ("finance", "refund notice")
    await world.subscriptions.enable("shop", "anna", world.clock())
    await world.turn()
    assert await world.tickets.list() == ()


async def test_other_roles_and_other_events_open_no_ticket(world: World, receiver: Receiver) -> None:
    receiver.says(500)
    await world.subscribe(receiver.url, SubscriberRole.SALES, "sales", types=(EventType.REFUND_SUCCEEDED,))
    await world.subscribe(receiver.url, SubscriberRole.FINANCE, "finance", types=(EventType.PAYMENT_RECEIVED,))
    await paid(world.orders, world.clock())
    await refunded(world.orders, world.clock())
    for wait in (1, 6, 301, 1801):
        world.clock.forward(wait)
        await world.turn()
        await world.care.look()
    assert await world.tickets.list() == ()
