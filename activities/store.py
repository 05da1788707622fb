"""The order's own database steps. They run as local activities: one history event each, no round trip to the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from asyncpg.exceptions import IntegrityConstraintViolationError
from pydantic import AwareDatetime
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.access.starts import StartDoor
from domain.fulfilment.readdressing import NewAddress
from domain.fulfilment.reallocation import Elsewhere, Replan, Resource
from domain.order import StartOrder
from domain.records import OrderWrite, Registered, Retagged, Settled, SettlePayment, TicketRecord
from domain.strict import Strict
from store.errors import OrderRefused, StockWouldGoNegative
from store.orders.orders import OrderStore
from telemetry import tickets_opened

log = structlog.get_logger("oms.store")
CONTRADICTION = "Contradiction"
"""Type of a refusal by a constraint, or by the stock ledger: two at once may meet there, so it is tried again, and
after that for a person."""


class Register(Strict):
    """`run_id`: the first run of the workflow that brings the order; the same run may register again."""

    order: StartOrder
    run_id: str
    now: str
    proven: bool = False
    """Who starts it has been looked at."""


class Stalled(Strict):
    """A step of this order, or of this return, that the store does not take; told beside it."""

    order_no: str
    return_no: str | None = None
    ticket: TicketRecord
    at: AwareDatetime


class StoreActivities:
    def __init__(self, orders: OrderStore, door: StartDoor | None = None) -> None:
        """`door`: where starts have to be proven."""
        self._orders = orders
        self._door = door

    @activity.defn(name="store.register")
    async def register(self, message: Register) -> Registered:
        """Raises (final): UnknownSku, DuplicateOrder, PayableMismatch, CurrencyNotAccepted, PROOF_REQUIRED."""
        if self._door is not None and not message.proven:
            await self._door.refuse(message.order, message.run_id)
        async with refusals():
            return await self._orders.register(message.order, message.run_id, datetime.fromisoformat(message.now))

    @activity.defn(name="store.settle")
    async def settle(self, message: SettlePayment) -> Settled:
        async with refusals():
            settled = await self._orders.settle(message)
        _tell(message.write)
        return settled

    @activity.defn(name="store.write")
    async def write(self, message: OrderWrite) -> None:
        async with refusals():
            await self._orders.write(message)
        _tell(message)

    @activity.defn(name="store.refund_hold")
    async def refund_hold(self, order_no: str) -> str:
        """What a bank holds the order's refunds by; '' when it does not."""
        return await self._orders.what_holds_refunds(order_no)

    @activity.defn(name="store.refund_hold_over")
    async def refund_hold_over(self, order_no: str, why: str) -> None:
        """Tried until the order's refunds are not held by this any more: an activity's retries leave no events."""
        if await self._orders.what_holds_refunds(order_no) == why:
            raise ApplicationError(why, type="disputed", category=ApplicationErrorCategory.BENIGN)

    @activity.defn(name="store.replan")
    async def replan(self, message: Replan) -> None:
        """Raises (final): NotEnoughStock, UnitsNotThere, UnitsPaidBack."""
        async with refusals():
            await self._orders.replan(message)
        _tell(message.write)

    @activity.defn(name="store.retag")
    async def retag(self, order_no: str) -> Retagged:
        async with refusals():
            return await self._orders.retag(order_no)

    @activity.defn(name="store.resource")
    async def resource(self, message: Resource) -> Elsewhere:
        async with refusals():
            found = await self._orders.resource(message)
        _tell(message.write)
        return found

    @activity.defn(name="store.change_address")
    async def change_address(self, message: NewAddress) -> None:
        async with refusals():
            await self._orders.change_address(message)

    @activity.defn(name="store.stalled")
    async def stalled(self, message: Stalled) -> None:
        await self._orders.tell_stalled(message.order_no, message.return_no, message.ticket, message.at)
        tickets_opened.labels(system=message.ticket.system, step=message.ticket.step).inc()

    @activity.defn(name="store.allocate_backorder")
    async def allocate_backorder(self, order_no: str, child_no: str) -> bool:
        """True: every unit of the child is reserved now. False: nothing is."""
        async with refusals():
            return await self._orders.allocate_backorder(order_no, child_no)


@asynccontextmanager
async def refusals() -> AsyncIterator[None]:
    """`OrderRefused` is final. What the stock ledger does not have is not there on the next try either."""
    try:
        yield
    except OrderRefused as error:
        raise ApplicationError(str(error), *error.about, type=type(error).__name__, non_retryable=True) from error
    except StockWouldGoNegative as error:
        raise ApplicationError(f"the books have not so many there ({error})"[:400], type=CONTRADICTION) from error
    except IntegrityConstraintViolationError as error:
        why = f"{error.constraint_name or type(error).__name__}: {error.message or error}"[:300]
        raise ApplicationError(f"the books contradict it ({why})", type=CONTRADICTION) from error


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
