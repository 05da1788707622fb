"""What happens to orders here: they are paid, and their refunds succeed; and what became of telling it."""

from datetime import datetime, timedelta

from domain.outbound.published import EventType, SubscriberRole
from domain.policy import Policy
from domain.records import SettlePayment
from domain.states import RefundStatus
from store.orders.orders import OrderStore
from tests.outbound.conftest import World
from tests.store.examples import a_payment, a_refund, a_write, an_order

ORDER = "SO20261120"
ONE = (EventType.PAYMENT_RECEIVED,)


async def paid(orders: OrderStore, at: datetime, order_no: str = ORDER) -> None:
    """Order, payment and two children are told."""
    await orders.register(an_order(order_no), "run-1", at)
    write = a_write(order_no, payment=a_payment(order_no), at=at)
    await orders.settle(SettlePayment(write=write, policy=Policy()))


async def refunded(orders: OrderStore, at: datetime, order_no: str = ORDER, number: str = "R-1") -> None:
    """Of a paid order; the refund is told."""
    await orders.write(a_write(order_no, 2, refunds=(a_refund(number),), at=at))
    refund = a_refund(number, status=RefundStatus.SUCCEEDED)
    await orders.write(a_write(order_no, 3, refunds=(refund,), at=at + timedelta(milliseconds=1)))


async def seconds(world: World, name: str = "shop") -> list[int]:
    """When the attempts of the only delivery began, from the first one on."""
    tries = (await world.delivery(name)).tries
    return [round((t.started_at - tries[0].started_at).total_seconds()) for t in tries]


async def an_event(world: World, url: str, role: SubscriberRole = SubscriberRole.SALES) -> None:
    await world.subscribe(url, role, types=ONE)
    await paid(world.orders, world.clock())


async def until_due(world: World) -> None:
    world.clock.at = (await world.delivery()).next_try_at
