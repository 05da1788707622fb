"""Paying a case: what is paid is agreed, approved, reserved, and asked for once under one number (R48, R53, N3)."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.return_calls import QuoteFor, Slot, SlotFor
from activities.returns import ReturnActivities
from domain.records import RefundRecord
from domain.returns.axis import Event
from domain.returns.gate import GateResult, GateState, refund_gate
from domain.returns.models import Quote, UnitRange
from domain.returns.records import RefundPart, RefundReserved, ReserveRefund
from domain.returns.words import GOODS_COME_BACK, CaseStatus, Level, ReturnType
from domain.states import RefundStatus
from workflows.book import STORE_RETRY, STORE_TIMEOUT
from workflows.branches import Branches
from workflows.case_book import CaseBook
from workflows.case_over import CaseOver
from workflows.refunds import Refunds
from workflows.return_desk import Desk
from workflows.return_messages import AskSupervisor, LowerAmount
from workflows.return_review import Review
from workflows.return_stopping import Stopping

PAYMENT = "payment"


class Money:
    """The money of one case."""

    def __init__(self, book: CaseBook, branches: Branches, review: Review, desk: Desk, stopping: Stopping) -> None:
        self.book = book
        self.refunds = Refunds(book)
        self._branches = branches
        self._review = review
        self._desk = desk
        self._stopping = stopping
        self._disputes: list[AskSupervisor] = []
        self._asked_for = False
        self._accepted: tuple[UnitRange, ...] = ()

    # --- doors -------------------------------------------------------------------------------------------------------

    def gate(self) -> GateResult:
        """What a request for the money meets now, first obstacle first."""
        review, book = self._review, self.book
        finance = Level.FINANCE in book.case.route
        return refund_gate(
            GateState(
                type=book.type, approved=review.agreed(Level.CS_SUPERVISOR), received=self._desk.received,
                inspected=self._desk.inspected, finance_needed=finance,
                finance_approved=not finance or review.agreed(Level.FINANCE),
                accepted_units=sum(r.units for r in self.accepted()) if self._desk.inspected else None,
                paid_out=self._asked_for,
            )
        )  # fmt: skip

    def ask(self) -> GateResult:
        """A request for the money. The case pays by itself; the first request that finds nothing in the way is told so,
        every further one is a duplicate."""
        found = self.gate()
        if found is GateResult.OK:
            self._asked_for = True
        return found

    def may_lower(self, message: LowerAmount) -> None:
        """Raises `ApplicationError` for what may not be lowered so."""
        if self.paying:
            raise ApplicationError("the money is on its way already", type="NotNow")
        if message.amount_minor >= self.book.amount_minor:
            text = (
                f"{message.amount_minor} is not less than the {self.book.amount_minor} of the case: it is only lowered"
            )
            raise ApplicationError(text, type="AMOUNT_RAISED")

    def lower(self, message: LowerAmount) -> None:
        book = self.book
        before, book.amount_minor = book.amount_minor, message.amount_minor
        book.version += 1
        book.tell(message.by, "lowered", "CS_AGENT", before_minor=before, amount_minor=message.amount_minor,
                  reason=message.reason)  # fmt: skip
        book.audit(message.by, "return.lower", before_minor=before, amount_minor=message.amount_minor,
                   reason=message.reason)  # fmt: skip

    def dispute(self, message: AskSupervisor) -> None:
        self._disputes.append(message)
        self.book.tell(message.by, "dispute", amount_minor=message.amount_minor, reason=message.reason)

    @property
    def paying(self) -> bool:
        return self.book.status in (CaseStatus.REFUNDING, CaseStatus.REFUNDED, CaseStatus.REFUND_FAILED)

    # --- the branch --------------------------------------------------------------------------------------------------

    def accepted(self) -> tuple[UnitRange, ...]:
        """Units whose money goes back: stopped, graded, or not asked back at all."""
        if self.book.type not in GOODS_COME_BACK:
            return self.book.case.units
        return (*self._stopping.stopped, *self._desk.accepted_units())

    async def pay(self) -> None:
        book = self.book
        await self._agree_on_amount()
        await self._review.clear()
        if book.status is not CaseStatus.REFUNDING:
            book.happens(Event.PAYOUT)
        book.now_waits_for("the refund")
        self._asked_for = self._asked_for or not self._desk.inspected
        if await self._send():
            self._give_coupons_back()
            book.happens(Event.REFUND_SUCCEEDED, refunded_minor=book.refunded_minor)
        else:
            book.happens(Event.REFUND_FAILED)

    def _give_coupons_back(self) -> None:
        """Only when the whole order was stopped before anything of it had left (S22)."""
        taken = self.book.taken
        assert taken is not None
        if self.book.type is ReturnType.CANCEL_UNSHIPPED and taken.whole_order and taken.coupons:
            self.book.tell("system", "coupons given back", coupons=", ".join(taken.coupons))
            self.book.audit("system", "return.coupons_back", order_no=self.book.order_no, coupons=list(taken.coupons))

    async def _agree_on_amount(self) -> None:
        """Fewer units than applied for: the supervisor decides who bears it. A grade alone lowers nothing (R55)."""
        book = self.book
        self._accepted = self.accepted()
        missing = self._desk.missing if self._desk.inspected and self._desk.finished_by else 0
        if missing:
            quote = await self._quote(self._accepted)
            why = f"{missing} units did not arrive"
            by = self._desk.finished_by
            if quote.total_minor < book.amount_minor and not await self._review.dispute(quote.total_minor, why, by):
                self._accepted = book.case.units  # the buyer is believed
        if self._accepted is not book.case.units:
            self._set((await self._quote(self._accepted)).total_minor)
        while self._disputes:
            asked = self._disputes.pop(0)
            if asked.amount_minor < book.amount_minor and await self._review.dispute(
                asked.amount_minor, asked.reason, asked.by
            ):
                self._set(asked.amount_minor)
        if not self._accepted:
            raise CaseOver(Event.REJECTED, "NOTHING_ACCEPTED")

    def _set(self, amount_minor: int) -> None:
        if amount_minor < self.book.amount_minor:
            self.book.amount_minor = amount_minor
            self.book.version += 1

    async def _quote(self, accepted: tuple[UnitRange, ...]) -> Quote:
        return await workflow.execute_local_activity_method(
            ReturnActivities.quote,
            QuoteFor(return_no=self.book.return_no, accepted=accepted),
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary="quote for what came",
        )

    def refunded_units(self) -> dict[str, int]:
        """By line_id, once the money is back."""
        if self.book.status is not CaseStatus.REFUNDED:
            return {}
        units: dict[str, int] = {}
        for run in self._accepted:
            units[run.line_id] = units.get(run.line_id, 0) + run.units
        return units

    # --- sending it --------------------------------------------------------------------------------------------------

    async def _send(self) -> bool:
        """True: all of it has reached the buyer. False: a person has paid, or will, by other means."""
        parts = await self._reserve()
        if parts is None:
            return False
        for part in parts:
            if await self._wait_for_slot(part):
                self.book.paying = part
                await self.refunds.give_back(part.refund_no, part.amount_minor, self._reason(), {})
        numbers = [part.refund_no for part in parts]
        await self._branches.until(lambda: all(self._over(number) for number in numbers))
        return all(self.refunds.paid_out(number) for number in numbers)

    def _over(self, number: str) -> bool:
        return self.refunds.paid_out(number) or not self.refunds.asked(number) or self.refunds.given_up(number)

    def _reason(self) -> str:
        return f"return {self.book.return_no}"

    async def _reserve(self) -> tuple[RefundPart, ...] | None:
        """Held money becomes refunds, one a payment, before anybody is asked to pay. None: a person has taken over."""
        message = ReserveRefund(
            return_no=self.book.return_no, accepted=self._accepted, amount_minor=self.book.amount_minor,
            reason=self._reason(), at=workflow.now(),
        )  # fmt: skip
        while True:
            await self.book.saved()
            try:
                reserved: RefundReserved = await workflow.execute_local_activity_method(
                    ReturnActivities.reserve_refund,
                    message,
                    start_to_close_timeout=STORE_TIMEOUT,
                    retry_policy=STORE_RETRY,
                    summary="reserve the refund",
                )
                return reserved.parts
            except ApplicationError as refused:
                if not await self._person(f"the books refuse the refund: {refused.message}"[:400]):
                    return None

    async def _wait_for_slot(self, part: RefundPart) -> bool:
        """A channel takes one refund of an order a minute, at most fifty, within a year (R48): looked up right before
        it is sent, across all cases of the order."""
        while True:
            slot: Slot = await workflow.execute_local_activity_method(
                ReturnActivities.refund_slot,
                SlotFor(
                    order_no=self.book.order_no, refund_no=part.refund_no, payment_key=part.payment_key,
                    spacing_s=self.book.policy.refund_spacing_s, now=workflow.now(),
                ),
                start_to_close_timeout=STORE_TIMEOUT,
                retry_policy=STORE_RETRY,
                summary=f"slot of {part.refund_no}",
            )  # fmt: skip
            if not slot.refused:
                wait = slot.at - workflow.now()
                if wait > timedelta(0):
                    await self._branches.until(lambda: False, by=wait, name=f"spacing before {part.refund_no}")
                return True
            if not await self._person(f"refund {part.refund_no}: {slot.refused}"):
                self.book.refund(_closed(part, self._reason()))
                return False

    async def _person(self, error: str) -> bool:
        """True: try again. False: a person pays by other means."""
        ticket = self.book.tickets.open(
            PAYMENT, "refund not sent", error, give_up_means="a person has paid the buyer by other means, or will",
            actions=("retry", "give_up"), severity="urgent",
        )  # fmt: skip
        await self._branches.until(lambda: ticket.resolution is not None)
        return ticket.resolution is not None and ticket.resolution.action == "retry"


def _closed(part: RefundPart, reason: str) -> RefundRecord:
    """Taken over by a person."""
    return RefundRecord(
        refund_no=part.refund_no, amount_minor=part.amount_minor, status=RefundStatus.CLOSED, reason=reason
    )
