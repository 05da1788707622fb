"""Orders: what workflows hand over, and what people read."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from domain.fulfilment.readdressing import NewAddress
from domain.fulfilment.reallocation import Elsewhere, Replan, Resource
from domain.order import StartOrder
from domain.records import OrderWrite, Registered, Retagged, Settled, SettlePayment, TicketRecord
from store import disputes
from store.errors import OrderRefused
from store.orders import (
    backorders,
    detail,
    pages,
    readdressing,
    reallocation,
    registering,
    resourcing,
    settling,
    tagging,
)
from store.orders.detail import OrderDetail, TimelineEntry
from store.orders.pages import OrderFilter, OrderPage
from store.orders.payments import insist_on_merchant
from store.orders.writing import apply_write
from store.pool import Connection, Pool
from store.tickets import stalls

__all__ = ["OrderFilter", "OrderRefused", "OrderStore"]


class OrderStore:
    """Every method is one transaction. Refusals (`OrderRefused`) are final; anything else may be repeated.

    `merchants`: who we are at each payment channel; money that went to somebody else there pays nothing.
    """

    def __init__(self, pool: Pool, merchants: Mapping[str, str] | None = None) -> None:
        self._pool = pool
        self._merchants = merchants or {}

    # Workflows

    async def register(self, order: StartOrder, run_id: str, now: datetime) -> Registered:
        """Take an order into the books. The same `run_id` registering the same order again gets the same answer.

        Raises `UnknownSku` (all of them listed), `DuplicateOrder`, `PayableMismatch`, `CurrencyNotAccepted`,
        `InvalidOrder`; then nothing has changed.
        """
        async with self._transaction() as connection:
            return await registering.register(connection, order, run_id, now)

    async def settle(self, message: SettlePayment) -> Settled:
        """Book the payment, freeze unit shares, reserve what is there, split, store the children, apply the write.

        Idempotent on the payment's key. An order that costs nothing settles without a payment. Raises `NoSuchOrder`,
        `PaymentDoesNotFit`, `PaymentNotTheOrders`, `AlreadySettled` (by another payment).
        """
        async with self._transaction() as connection:
            await insist_on_merchant(connection, message.write, self._merchants)
            return await settling.settle(connection, message)

    async def what_holds_refunds(self, order_no: str) -> str:
        """Why no refund of the order may go out; '' when one may."""
        async with self._pool.acquire() as connection:
            return await disputes.what_holds_refunds(connection, order_no)

    async def retag(self, order_no: str) -> Retagged:
        """Look for tags of lines that had none. Raises `NoSuchOrder`."""
        async with self._transaction() as connection:
            return await tagging.retag(connection, order_no)

    async def write(self, write: OrderWrite) -> None:
        """Apply one visible change; repeated or late, it does no harm.

        Raises (final) `NoSuchOrder`, `RefundExceedsPaid`, `RefundExceedsUnits`, `RefundChanged`, `PaymentNotTheOrders`;
        (worth repeating) `StockWouldGoNegative`, `TicketNotOpenYet`.
        """
        async with self._transaction() as connection:
            await insist_on_merchant(connection, write, self._merchants)
            await apply_write(connection, write)

    async def replan(self, message: Replan) -> None:
        """New children out of units of others: units, money and stock go over together. Raises `NotEnoughStock`,
        `UnitsNotThere`; then nothing has changed."""
        async with self._transaction() as connection:
            await reallocation.replan(connection, message)

    async def resource(self, message: Resource) -> Elsewhere:
        """Units that a child cannot ship, from elsewhere, as new children."""
        async with self._transaction() as connection:
            return await resourcing.resource_units(connection, message)

    async def change_address(self, message: NewAddress) -> None:
        """Where everything goes that is not named as going elsewhere. Raises `NoSuchOrder`."""
        async with self._transaction() as connection:
            await readdressing.change_address(connection, message)

    async def allocate_backorder(self, order_no: str, child_no: str) -> bool:
        """Reserve every unit of a waiting child, or none. False too for a child that no longer waits without it."""
        async with self._transaction() as connection:
            return await backorders.allocate(connection, order_no, child_no)

    async def tell_stalled(self, order_no: str, return_no: str | None, ticket: TicketRecord, at: datetime) -> None:
        """A ticket about a write that the store does not take, written beside it. Repeated, it does nothing."""
        async with self._transaction() as connection:
            await stalls.tell_stalled(connection, order_no, return_no, ticket, at)

    # People

    async def start(self, order_no: str) -> StartOrder:
        """The start message as it came. Raises `NoSuchOrder`."""
        async with self._pool.acquire() as connection:
            return await registering.read_start(connection, order_no)

    async def view(self, number: str) -> OrderDetail | None:
        """The order of this order number or child number, with all that belongs to it (R29)."""
        # One snapshot for all its parts.
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            return await detail.view(connection, number)

    async def list(self, filters: OrderFilter | None = None, limit: int = 50, cursor: str | None = None) -> OrderPage:
        """Newest first. `cursor`: of the page before. Raises `ValueError` for a cursor that we did not make."""
        async with self._pool.acquire() as connection:
            return await pages.page(connection, filters or OrderFilter(), limit, cursor)

    async def count(self, filters: OrderFilter, most: int) -> int:
        """How many there are, up to `most`."""
        async with self._pool.acquire() as connection:
            return await pages.count(connection, filters, most)

    async def timeline(self, order_no: str, limit: int = 1000) -> tuple[TimelineEntry, ...]:
        """Events, refunds, tickets and people's doings in the order in which they were written down."""
        async with self._pool.acquire() as connection:
            return await detail.timeline(connection, order_no, limit)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection
