"""The doors of an order for people: updates with validators, so that a wrong request is refused before it is history.

`workflows/order/workflow.py` is the order's process; this is everything that people may do to it meanwhile.
"""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.order_states import NOT_ALL_GONE, RECEIVABLE
from domain.states import OrderStatus
from workflows.approvals.supplied_money import SuppliedMoney
from workflows.durable.branches import Branches
from workflows.durable.commands import keeps_its_key, rationed, repeatable, unless_done
from workflows.durable.proofs import money_apart, proven
from workflows.durable.raw_messages import StartRefused, well_formed
from workflows.messages import ResolveTicket, TicketAnswer
from workflows.order.cancel_decision import CancelDecision
from workflows.order.cancelling import Cancellation
from workflows.order.holds.handlers import HoldHandlers
from workflows.order.messages import Cancelled, CancelOrder, ConfirmReceipt, Placed, Refresh, Refreshed
from workflows.order.open_returns import OpenReturns
from workflows.order.outside_payment import OutsideMoneyHandlers
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.payment import OrderPayment
from workflows.order.refresh import Refresher
from workflows.order.refunds_owed import RefundsOwed
from workflows.order.set_aside import SetAside
from workflows.order.state import OrderState
from workflows.order.tagging import Tagging


class OrderHandlers(HoldHandlers, OutsideMoneyHandlers):
    """The parts stand before any handler runs (`Order.__init__`); a refused start has none of them but `_refusal`."""

    _refusal: StartRefused | None
    _registered: bool
    _receipt_by: str | None
    _cancelling: bool
    _branches: Branches
    _state: OrderState
    _open_returns: OpenReturns
    _payment: OrderPayment
    _parcels: Parcels
    _refunds_owed: RefundsOwed
    _refresher: Refresher
    _cancel_decision: CancelDecision
    _supplied_money: SuppliedMoney
    _tagging: Tagging
    _set_aside: SetAside

    @workflow.update
    async def place(self) -> Placed:
        """Answers once the order is in the books and its payment is offered (or a ticket is open), or refuses."""
        await workflow.wait_condition(lambda: self._refusal is not None or self._offered)
        if self._refusal is not None:
            raise self._refusal.error()
        order = self._state.order
        return Placed(
            order_no=order.order_no,
            payable_minor=order.payable_minor,
            currency=order.currency,
            pay_deadline=self._payment.deadline,
            payment_code=self._state.payment_code,
        )

    @place.validator
    @well_formed
    def _check_place(self) -> None:
        """Whoever asks is told."""

    @workflow.update
    @proven("order.cancel", "_check_cancel")
    @repeatable("_check_cancel")
    async def cancel(self, message: CancelOrder) -> Cancelled:
        """Before shipping: what can still be stopped is stopped, and its money goes back. Of a paid order that is asked
        about first, where the approval matrix says so (`approval_id`)."""
        return await self._cancel_for(message)

    async def _cancel_for(self, message: CancelOrder) -> Cancelled:
        self._state.audit(message.by, "order.cancel", reason=message.reason)
        self._cancelling = True
        try:
            if number := await self._cancel_decision.ask(message):
                return Cancelled(cancelled=(), too_late=(), refund_minor=0, approval_id=number)
            return await self._cancel(message.reason)
        finally:
            self._cancelling = False

    async def _cancel_as_agreed(self, message: CancelOrder) -> None:
        self._cancelling = True
        try:
            await self._cancel(message.reason)
        finally:
            self._cancelling = False

    def _worth_of_cancelling(self) -> tuple[int, dict[str, Any]]:
        """What would go back if everything that has not left were stopped now, and which children that is."""
        if self._state.payment is None:
            return 0, {}
        if not self._parcels.by_number:
            return self._state.paid_minor, {}
        waiting = [p.state for p in self._parcels.by_number.values() if not p.state.handed_over and not _is_over(p)]
        children = [{"child_no": s.child_no, "lines": dict(s.plan.lines)} for s in waiting]
        return sum(s.plan.paid_minor for s in waiting), {"children": children}

    def _too_late_to_cancel(self) -> bool:
        return self._state.status not in NOT_ALL_GONE or self._payment.cancel_requested or not self._payment.paid

    async def _cancel(self, reason: str) -> Cancelled:
        if not self._parcels.by_number and (self._tagging.waits or not self._payment.paid):
            self._payment.cancel_requested = True
            self._tagging.cancel()
            await workflow.wait_condition(lambda: self._state.status is OrderStatus.CLOSED)
            return Cancelled(cancelled=(), too_late=(), refund_minor=self._state.paid_minor)
        if not await self._parcels.exist():
            return Cancelled(cancelled=(), too_late=(), refund_minor=self._state.paid_minor)
        if self.changes.executing:  # children are being made anew: the new ones are then what can be stopped
            await workflow.wait_condition(lambda: not self.changes.executing)
        return await self._cancel_parcels(reason)

    @cancel.validator
    @well_formed
    @unless_done
    def _check_cancel(self, message: CancelOrder) -> None:
        self._check_registered()
        if why := self._why_not_cancel():
            raise ApplicationError(why, type="NotNow")

    def _why_not_cancel(self) -> str:
        if self._state.status not in NOT_ALL_GONE:
            return f"the order is {self._state.status.value}: too late to cancel"
        if self._cancelling or self._payment.cancel_requested:
            return "the order is being cancelled already"
        return self._cancel_decision.why_not_now()

    async def _cancel_parcels(self, reason: str) -> Cancelled:
        def known() -> None:
            self._parcels.roll_up()
            self._set_aside.order_is_cancelled(reason)

        cancellation = Cancellation(
            self._parcels, self._refunds_owed, self._branches, reason, known, self._set_aside.freed_from_holds
        )  # fmt: skip
        await cancellation.run()
        stopped = sorted(cancellation.stopped, key=cancellation.asked.index)
        return Cancelled(
            cancelled=tuple(p.state.child_no for p in stopped),
            too_late=tuple(
                p.state.child_no for p in cancellation.asked if p not in stopped and not p.state.handed_over
            ),
            refund_minor=sum(p.state.plan.paid_minor for p in stopped),
        )

    @workflow.update
    @proven("order.confirm_receipt", "_check_receipt")
    @repeatable("_check_receipt")
    async def confirm_receipt(self, message: ConfirmReceipt) -> None:
        self._receipt_by = message.by
        self._state.audit(message.by, "order.confirm_receipt")
        ends = (OrderStatus.COMPLETED, OrderStatus.CLOSED)
        await workflow.wait_condition(lambda: self._state.status in ends)
        if self._state.status is OrderStatus.CLOSED:
            if not workflow.patched("receipt of a closed order is answered"):
                await workflow.wait_condition(lambda: self._state.status is OrderStatus.COMPLETED)
            raise ApplicationError("every unit was paid back meanwhile: the order is CLOSED", type="NotNow")

    @confirm_receipt.validator
    @well_formed
    @unless_done
    def _check_receipt(self, message: ConfirmReceipt) -> None:
        self._check_registered()
        if self._state.status not in RECEIVABLE or self._receipt_by is not None:
            raise ApplicationError(f"the order is {self._state.status.value}: nothing to confirm", type="NotNow")
        if numbers := self._open_returns.open_ones:
            why = f"return {', '.join(numbers)} is open: receipt is confirmed once it has ended"
            raise ApplicationError(why, type="NotNow")

    @workflow.update
    @proven("order.resolve_ticket", "_check_resolution", row=money_apart)
    @repeatable("_check_resolution")
    async def resolve_ticket(self, message: ResolveTicket) -> TicketAnswer:
        """Returns once the answer and its audit row are committed, or the question to another person is."""
        return await self._supplied_money.resolve(message)

    @resolve_ticket.validator
    @well_formed
    @unless_done
    def _check_resolution(self, message: ResolveTicket) -> None:
        self._check_registered()
        self._supplied_money.check(message)

    @workflow.update
    @keeps_its_key
    async def refresh(self, message: Refresh) -> Refreshed:
        """Asks payment, warehouse and courier how this order stands now, and says what was found to differ."""
        return await self._refresher.refresh()

    @refresh.validator
    @well_formed
    @rationed
    def _check_refresh(self, message: Refresh) -> None:
        self._check_registered()
        if not self._refresher.allowed:
            raise ApplicationError("an order is refreshed at most once in 5 s: try again in a moment", type="TooOften")

    @property
    def _offered(self) -> bool:
        return self._registered and (self._payment.offered or bool(self._state.tickets.open_ones))

    def _check_registered(self) -> None:
        if not self._registered:
            raise ApplicationError("the order is not in the books yet: try again in a moment", type="NotNow")


def _is_over(parcel: Parcel) -> bool:
    """It will not ship, whatever is done."""
    return parcel.state.cancelled and not parcel.state.set_aside
