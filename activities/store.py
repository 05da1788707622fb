"""The order's own database steps. They run as local activities: one history event each, no round trip to the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.order import StartOrder
from domain.readdressing import NewAddress
from domain.records import OrderWrite, Registered, Retagged, Settled, SettlePayment
from domain.replanning import Elsewhere, Replan, Resource
from domain.strict import Strict
from store.errors import OrderRefused
from store.orders import OrderStore
from telemetry import tickets_opened

log = structlog.get_logger("oms.store")


class Register(Strict):
    """`run_id`: the first run of the workflow that brings the order; the same run may register again."""

    order: StartOrder
    run_id: str
    now: str


class StoreActivities:
    def __init__(self, orders: OrderStore) -> None:
        self._orders = orders

    @activity.defn(name="store.register")
    async def register(self, message: Register) -> Registered:
        """Raises (final): UnknownSku, DuplicateOrder, PayableMismatch, CurrencyNotAccepted."""
        async with _refusals():
            return await self._orders.register(message.order, message.run_id, datetime.fromisoformat(message.now))

    @activity.defn(name="store.settle")
    async def settle(self, message: SettlePayment) -> Settled:
        async with _refusals():
            settled = await self._orders.settle(message)
        _tell(message.write)
        return settled

    @activity.defn(name="store.write")
    async def write(self, message: OrderWrite) -> None:
        async with _refusals():
            await self._orders.write(message)
        _tell(message)

    @activity.defn(name="store.replan")
    async def replan(self, message: Replan) -> None:
        """Raises (final): NotEnoughStock, UnitsNotThere."""
        async with _refusals():
            await self._orders.replan(message)
        _tell(message.write)

    @activity.defn(name="store.retag")
    async def retag(self, order_no: str) -> Retagged:
        async with _refusals():
            return await self._orders.retag(order_no)

    @activity.defn(name="store.resource")
    async def resource(self, message: Resource) -> Elsewhere:
        async with _refusals():
            found = await self._orders.resource(message)
        _tell(message.write)
        return found

    @activity.defn(name="store.change_address")
    async def change_address(self, message: NewAddress) -> None:
        async with _refusals():
            await self._orders.change_address(message)

    @activity.defn(name="store.allocate_backorder")
    async def allocate_backorder(self, order_no: str, child_no: str) -> bool:
        """True: every unit of the child is reserved now. False: nothing is."""
        return await self._orders.allocate_backorder(order_no, child_no)


@asynccontextmanager
async def _refusals() -> AsyncIterator[None]:
    try:
        yield
    except OrderRefused as error:
        raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error


def _tell(write: OrderWrite) -> None:
    """One line a visible change, in the trace of what caused it. Numbers and codes only."""
    log.info(
        "order changed",
        order_no=write.order_no,
        seq=write.seq,
        status=write.status,
        payment_status=write.payment_status,
        children={child.child_no: child.status for child in write.children},
    )
    for ticket in write.tickets:
        tickets_opened.labels(system=ticket.system, step=ticket.step).inc()
        log.warning("ticket opened", order_no=write.order_no, ticket_id=ticket.ticket_id, system=ticket.system)
