"""The doors of an order for people: updates with validators, so that a wrong request is refused before it is history.

`workflows/order.py` is the order's process; this is everything that people may do to it meanwhile.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.states import OrderStatus
from workflows.admission import Refusal
from workflows.book import Book
from workflows.branches import Branches
from workflows.cases import Cases
from workflows.cashier import Cashier
from workflows.family import Family
from workflows.giveback import GiveBack
from workflows.messages import Cancelled, CancelOrder, ConfirmReceipt, Placed, Refresh, Refreshed, ResolveTicket
from workflows.refresh import Refresher
from workflows.replan_doors import ReplanDoors
from workflows.tagging import Tagging

CANCELLABLE = frozenset({OrderStatus.PENDING_PAYMENT, OrderStatus.AWAITING_SHIPMENT, OrderStatus.PARTIALLY_SHIPPED})
RECEIVABLE = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED})


class OrderDoors(ReplanDoors):
    """The parts stand before any handler runs (`Order.__init__`); a refused start has none of them but `_refusal`."""

    _refusal: Refusal | None
    _registered: bool
    _receipt_by: str | None
    _cancelling: bool
    _branches: Branches
    _book: Book
    _cases: Cases
    _cashier: Cashier
    _family: Family
    _owed: GiveBack
    _refresher: Refresher
    _tagging: Tagging

    @workflow.update
    async def place(self) -> Placed:
        """Answers once the order is in the books and its payment is offered (or a ticket is open), or refuses."""
        await workflow.wait_condition(lambda: self._refusal is not None or self._offered)
        if self._refusal is not None:
            raise ApplicationError(str(self._refusal), type=self._refusal.kind, non_retryable=True)
        order = self._book.order
        return Placed(
            order_no=order.order_no,
            payable_minor=order.payable_minor,
            currency=order.currency,
            pay_deadline=self._cashier.deadline,
            payment_code=self._book.payment_code,
        )

    @workflow.update
    async def cancel(self, message: CancelOrder) -> Cancelled:
        """Before shipping: what can still be stopped is stopped, and its money goes back."""
        self._book.audit(message.by, "order.cancel", reason=message.reason)
        self._cancelling = True
        try:
            return await self._cancel(message.reason)
        finally:
            self._cancelling = False

    async def _cancel(self, reason: str) -> Cancelled:
        if not self._family.parcels and (self._tagging.waits or not self._cashier.paid):
            self._cashier.cancel_requested = True
            self._tagging.cancel()
            await workflow.wait_condition(lambda: self._book.status is OrderStatus.CLOSED)
            return Cancelled(cancelled=(), too_late=(), refund_minor=self._book.paid_minor)
        await workflow.wait_condition(lambda: bool(self._family.parcels))
        if self.replanning.executing:  # children are being made anew: the new ones are then what can be stopped
            await workflow.wait_condition(lambda: not self.replanning.executing)
        return await self._cancel_parcels(reason)

    @cancel.validator
    def _check_cancel(self, message: CancelOrder) -> None:
        self._check_registered()
        if self._book.status not in CANCELLABLE:
            raise ApplicationError(f"the order is {self._book.status.value}: too late to cancel", type="NotNow")
        if self._cancelling or self._cashier.cancel_requested:
            raise ApplicationError("the order is being cancelled already", type="NotNow")

    async def _cancel_parcels(self, reason: str) -> Cancelled:
        open_ones = [p for p in self._family.parcels.values() if not p.cancelled]
        stopped = await asyncio.gather(*(p.cancel() for p in open_ones))
        cancelled = [p for p, done in zip(open_ones, stopped, strict=True) if done]
        self._family.roll_up()
        if cancelled:
            self._branches.take_on(self._owed.parcels(cancelled, reason))
        return Cancelled(
            cancelled=tuple(p.plan.child_no for p in cancelled),
            too_late=tuple(p.plan.child_no for p in open_ones if p not in cancelled),
            refund_minor=sum(p.plan.paid_minor for p in cancelled),
        )

    @workflow.update
    async def confirm_receipt(self, message: ConfirmReceipt) -> None:
        self._receipt_by = message.by
        self._book.audit(message.by, "order.confirm_receipt")
        await workflow.wait_condition(lambda: self._book.status is OrderStatus.COMPLETED)

    @confirm_receipt.validator
    def _check_receipt(self, message: ConfirmReceipt) -> None:
        self._check_registered()
        if self._book.status not in RECEIVABLE or self._receipt_by is not None:
            raise ApplicationError(f"the order is {self._book.status.value}: nothing to confirm", type="NotNow")
        if numbers := self._cases.open_ones:
            why = f"return {', '.join(numbers)} is open: receipt is confirmed once it has ended"
            raise ApplicationError(why, type="NotNow")

    @workflow.update
    async def resolve_ticket(self, message: ResolveTicket) -> None:
        """Returns once the answer and its audit row are committed."""
        self._book.tickets.resolve(message)
        await self._book.saved()

    @resolve_ticket.validator
    def _check_resolution(self, message: ResolveTicket) -> None:
        self._check_registered()
        self._book.tickets.insist(message)

    @workflow.update
    async def refresh(self, message: Refresh) -> Refreshed:
        """Asks payment, warehouse and courier how this order stands now, and says what was found to differ."""
        return await self._refresher.refresh()

    @refresh.validator
    def _check_refresh(self, message: Refresh) -> None:
        self._check_registered()
        if not self._refresher.allowed:
            raise ApplicationError("an order is refreshed at most once in 5 s: try again in a moment", type="TooOften")

    @property
    def _offered(self) -> bool:
        return self._registered and (self._cashier.offered or bool(self._book.tickets.open_ones))

    def _check_registered(self) -> None:
        if not self._registered:
            raise ApplicationError("the order is not in the books yet: try again in a moment", type="NotNow")
