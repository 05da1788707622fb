"""Paying a case: what is paid is agreed, approved, reserved, and asked for once under one number (R48, R53, N3)."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.return_messages import QuoteFor
from activities.returns import ReturnActivities
from domain.records import RefundRecord
from domain.returns.enums import GOODS_COME_BACK, GOODS_GO_OUT, CaseStatus, Level, ReturnType
from domain.returns.gate import GateResult, GateState, refund_gate
from domain.returns.models import Quote
from domain.returns.records import RefundPart, ReserveRefund
from domain.returns.states import ReturnEvent
from domain.states import RefundStatus
from domain.units import UnitRange, without
from workflows.durable.branches import Branches
from workflows.durable.carrying import ByType, Own, Table
from workflows.durable.local_steps import in_store, until_in_store
from workflows.refunds.disputes import ON_HOLD, while_disputed
from workflows.refunds.refunds import Refunds
from workflows.returns.inspection import Inspection
from workflows.returns.messages import AskSupervisor, LowerAmount
from workflows.returns.review import Review
from workflows.returns.state import ReturnEnded, ReturnState
from workflows.returns.stop_shipping import StopShipping

PAYMENT = "payment"
NOT_SENT = "refund not sent"


class Payout:
    """The money of one case."""

    CARRIED = Table(
        refunds=Own(),
        _disputes=list[AskSupervisor],
        _asked_for=bool,
        _sending=ByType(list[str], sorted, set),
        _agreed_on_amount=bool,
        _accepted=tuple[UnitRange, ...],
        _counted=bool,
        _cleared=bool,
        _over=bool,
        _turns=dict[str, datetime],
        left={
            "state": "wiring", "_branches": "wiring", "_review": "its own part", "_inspection": "its own part",
            "_stop_shipping": "its own part",
        },
    )  # fmt: skip

    def __init__(
        self,
        state: ReturnState,
        branches: Branches,
        review: Review,
        inspection: Inspection,
        stop_shipping: StopShipping,
    ) -> None:
        self.state = state
        self.refunds = Refunds(state)
        self._branches = branches
        self._review = review
        self._inspection = inspection
        self._stop_shipping = stop_shipping
        self._disputes: list[AskSupervisor] = []
        self._asked_for = False
        self._sending: set[str] = set()
        """Parts of the payout, each of which waits for its own turn and its own end."""
        self._agreed_on_amount = False
        """Disputes are not looked at any more."""
        self._accepted: tuple[UnitRange, ...] = ()
        self._counted = False
        """It is settled who bears what did not arrive."""
        self._cleared = False
        """Every level has agreed, and the payout has begun."""
        self._over = False
        self._turns: dict[str, datetime] = {}
        """When the channel may be asked, by refund number."""

    # --- doors -------------------------------------------------------------------------------------------------------

    def gate(self) -> GateResult:
        """What a request for the money meets now, first obstacle first."""
        review, state = self._review, self.state
        finance = Level.FINANCE in state.case.route
        return refund_gate(
            GateState(
                type=state.type, approved=review.agreed(Level.CS_SUPERVISOR), received=self._inspection.received,
                inspected=self._inspection.inspected, finance_needed=finance,
                finance_approved=not finance or review.agreed(Level.FINANCE),
                accepted_units=sum(r.units for r in self.accepted()) if self._inspection.inspected else None,
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
        if message.amount_minor >= self.state.amount_minor:
            text = (
                f"{message.amount_minor} is not less than the {self.state.amount_minor} of the case: it is only lowered"
            )
            raise ApplicationError(text, type="AMOUNT_RAISED")

    def lower(self, message: LowerAmount) -> None:
        state = self.state
        before, state.amount_minor = state.amount_minor, message.amount_minor
        state.version += 1
        state.log(message.by, "lowered", "CS_AGENT", before_minor=before, amount_minor=message.amount_minor,
                  reason=message.reason)  # fmt: skip
        state.audit(message.by, "return.lower", before_minor=before, amount_minor=message.amount_minor,
                   reason=message.reason)  # fmt: skip

    def may_dispute(self) -> None:
        """Raises `ApplicationError` where nobody would look at it any more."""
        if self.state.type in GOODS_GO_OUT:
            raise ApplicationError("an exchange pays nothing: there is no amount to dispute", type="NotNow")
        if self._agreed_on_amount:
            why = "the amount is settled and is being approved: lower it instead, then everybody is asked again"
            raise ApplicationError(why, type="NotNow")

    def dispute(self, message: AskSupervisor) -> None:
        self._disputes.append(message)
        self.state.log(message.by, "dispute", amount_minor=message.amount_minor, reason=message.reason)

    @property
    def begun(self) -> bool:
        """Everybody has agreed."""
        return self._cleared

    @property
    def paying(self) -> bool:
        return self.state.status in (CaseStatus.REFUNDING, CaseStatus.REFUNDED, CaseStatus.REFUND_FAILED)

    # --- the branch --------------------------------------------------------------------------------------------------

    def accepted(self) -> tuple[UnitRange, ...]:
        """Units whose money goes back: stopped, graded, or not asked back at all."""
        if self.state.type not in GOODS_COME_BACK:
            return self.state.case.units
        return (*self._stop_shipping.stopped, *self._inspection.accepted_units())

    def _believed(self) -> tuple[UnitRange, ...]:
        """The buyer's word counts: everything was in the parcel that could be."""
        units, left_out = self.state.case.units, self._inspection.left_out
        return without(units, left_out) if left_out else units

    async def pay(self) -> None:
        state = self.state
        if self._over:
            return
        if not self._cleared:
            await self._agree_on_amount()
            await self._review.clear()
            if state.status is not CaseStatus.REFUNDING:
                state.happens(ReturnEvent.PAYOUT)
            state.now_waits_for("the refund")
            self._asked_for = self._asked_for or not self._inspection.inspected
            self._cleared = True
        paid = await self._send()
        self._over = True
        if paid:
            self._give_coupons_back()
            state.happens(ReturnEvent.REFUND_SUCCEEDED, refunded_minor=state.refunded_minor)
        else:
            state.happens(ReturnEvent.REFUND_FAILED)

    def _give_coupons_back(self) -> None:
        """Only when the whole order was stopped before anything of it had left (S22)."""
        taken = self.state.taken
        assert taken is not None
        if self.state.type is ReturnType.CANCEL_UNSHIPPED and taken.whole_order and taken.coupons:
            self.state.log("system", "coupons given back", coupons=", ".join(taken.coupons))
            self.state.audit("system", "return.coupons_back", order_no=self.state.order_no, coupons=list(taken.coupons))

    async def _agree_on_amount(self) -> None:
        """Fewer units than applied for: the supervisor decides who bears it. A grade alone lowers nothing (R55)."""
        if self._agreed_on_amount:
            return
        state = self.state
        if not self._counted:
            await self._count()
            self._counted = True
        while self._disputes:
            asked = self._disputes[0]
            if asked.amount_minor < state.amount_minor and await self._review.dispute(
                asked.amount_minor, asked.reason, asked.by
            ):
                self._set(asked.amount_minor)
            self._disputes.pop(0)
        self._agreed_on_amount = True
        if not self._accepted:
            raise ReturnEnded(ReturnEvent.REJECTED, "NOTHING_ACCEPTED")

    async def _count(self) -> None:
        state = self.state
        self._accepted = self.accepted()
        missing = self._inspection.missing if self._inspection.inspected and self._inspection.finished_by else 0
        if missing:
            quote = await self._quote(self._accepted)
            why = f"{missing} units did not arrive"
            by = self._inspection.finished_by
            if quote.total_minor < state.amount_minor and not await self._review.dispute(quote.total_minor, why, by):
                self._accepted = self._believed()
        if self._accepted is not state.case.units:
            self._set((await self._quote(self._accepted)).total_minor)

    def _set(self, amount_minor: int) -> None:
        if amount_minor < self.state.amount_minor:
            self.state.amount_minor = amount_minor
            self.state.version += 1

    async def _quote(self, accepted: tuple[UnitRange, ...]) -> Quote:
        return await until_in_store(
            ReturnActivities.quote,
            QuoteFor(return_no=self.state.return_no, accepted=accepted),
            summary="quote for what came",
        )

    def paid_back(self) -> tuple[UnitRange, ...]:
        """Units whose money is back, or that a person has taken on to pay."""
        return self._accepted if self.state.status in (CaseStatus.REFUNDED, CaseStatus.REFUND_FAILED) else ()

    def refunded_units(self) -> dict[str, int]:
        """By line_id, once the money is back."""
        if self.state.status is not CaseStatus.REFUNDED:
            return {}
        units: dict[str, int] = {}
        for run in self._accepted:
            units[run.line_id] = units.get(run.line_id, 0) + run.units
        return units

    # --- sending it --------------------------------------------------------------------------------------------------

    async def _send(self) -> bool:
        """True: all of it has reached the buyer. False: a person has paid, or will, by other means."""
        parts: tuple[RefundPart, ...] | None = tuple(self.state.parts.values())
        if not parts:
            parts = await self._reserve()
            if parts is None:
                return False
            self.state.parts = {part.refund_no: part for part in parts}
            self._sending = set(self.state.parts)
            await self._begin(parts)
        numbers = [part.refund_no for part in parts]
        await self._branches.until(lambda: all(self._over_for(number) for number in numbers))
        return all(self.refunds.paid_out(number) for number in numbers)

    def go_on(self) -> None:
        """In a new run, with what is on its way."""
        self.refunds.go_on(self._branches.take_on)
        for number, part in self.state.parts.items():
            if number in self._sending:
                self._branches.take_on(self._send_part(part))

    async def _begin(self, parts: tuple[RefundPart, ...]) -> None:
        if workflow.patched("refunds hold nobody up"):
            for part in parts:
                self._branches.take_on(self._send_part(part))
        else:
            for part in parts:
                await self._send_part(part)

    async def _send_part(self, part: RefundPart) -> None:
        try:
            if self.refunds.asked(part.refund_no) or await self._wait_for_slot(part):
                await self.refunds.give_back(part.refund_no, part.amount_minor, self._reason(), {}, has_slot=True)
        finally:
            self._sending.discard(part.refund_no)

    def _over_for(self, number: str) -> bool:
        if number in self._sending:
            return False
        return self.refunds.paid_out(number) or not self.refunds.asked(number) or self.refunds.given_up(number)

    def _reason(self) -> str:
        return f"return {self.state.return_no}"

    async def _reserve(self) -> tuple[RefundPart, ...] | None:
        """Held money becomes refunds, one a payment, before anybody is asked to pay. None: a person has taken over."""
        message = ReserveRefund(
            return_no=self.state.return_no, accepted=self._accepted, amount_minor=self.state.amount_minor,
            reason=self._reason(), at=workflow.now(),
        )  # fmt: skip
        if self._left_open() and not await self._try_again(""):
            return None
        while True:
            await self.state.flushed()
            try:
                reserved = await in_store(ReturnActivities.reserve_refund, message, summary="reserve the refund")
                return reserved.parts
            except ApplicationError as refused:
                if not await self._try_again(f"the books refuse the refund: {refused.message}"[:400]):
                    return None

    async def _wait_for_slot(self, part: RefundPart) -> bool:
        """A channel takes one refund of an order a minute, at most fifty, within a year (R48): looked up right before
        it is sent, across all cases of the order."""
        about = part.refund_no
        if about in self._turns:  # asking the books again would take a later one
            return await self._until_turn(part)
        if self._left_open(about) and not await self._try_again("", about):
            self.state.refund(_record(part, RefundStatus.CLOSED, self._reason()))
            return False
        while True:
            slot = await self.state.slot(_record(part, RefundStatus.REQUESTED, self._reason()))
            if not slot.refused:
                self._turns[about] = slot.at
                return await self._until_turn(part)
            if not await self._try_again(f"refund {part.refund_no}: {slot.refused}", about):
                self.state.refund(_record(part, RefundStatus.CLOSED, self._reason()))
                return False

    async def _until_turn(self, part: RefundPart) -> bool:
        wait = self._turns[part.refund_no] - workflow.now()
        if wait > timedelta(0):
            await self._branches.until(lambda: False, by=wait, name=f"spacing before {part.refund_no}")
        return True

    @property
    def _named(self) -> str:
        return f"the refund of return {self.state.return_no}"

    def _left_open(self, about: str = "") -> bool:
        """A person was asked by the run before, or a bank."""
        tickets = self.state.tickets
        return bool(
            tickets.left_open(PAYMENT, NOT_SENT, about=about) or tickets.left_open(PAYMENT, ON_HOLD, about=self._named)
        )

    async def _try_again(self, error: str, about: str = "") -> bool:
        """The bank's decision is waited for, or a person's."""
        if workflow.patched("payouts wait for the bank"):
            state, refund = self.state, self._named
            again = await while_disputed(state.tickets, PAYMENT, state.order_no, refund, self._branches.until)
            if again is not None:
                return again
        return await self._person(error, about)

    async def _person(self, error: str, about: str) -> bool:
        """True: try again. False: a person pays by other means."""
        resolution = await self.state.tickets.ask(
            PAYMENT, NOT_SENT, error, about=about, give_up_means="a person has paid the buyer by other means, or will",
            actions=("retry", "give_up"), severity="urgent", wait=self._branches.until,
        )  # fmt: skip
        return resolution is not None and resolution.action == "retry"


def _record(part: RefundPart, status: RefundStatus, reason: str) -> RefundRecord:
    return RefundRecord(refund_no=part.refund_no, amount_minor=part.amount_minor, status=status, reason=reason)
