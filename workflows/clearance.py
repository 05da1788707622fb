"""One child at the border: assessed, declared at the payment channel, held until customs let it in (R38).

A limit is no failure: nothing is retried, a person decides. Customs' own word, whenever it comes, ends every wait.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from temporalio import workflow

from activities.customs import Assess, CustomsActivities, CustomsBooks, DeclareCall, Declared, Noted
from domain.child_axis import ChildAxis
from domain.clearance import Assessment
from domain.records import ChildPlan
from workflows.book import STORE_RETRY, STORE_TIMEOUT, Book
from workflows.guarded import ATTEMPT_TIMEOUT, GaveUp, Step, guarded, retries

CUSTOMS = "customs"
GIVE_UP = "the child is cancelled and its money refunded"


class Border:
    """What a child meets there. A child that does not cross it meets nothing."""

    def __init__(self, book: Book, plan: ChildPlan, axis: ChildAxis) -> None:
        self.book, self.plan, self.axis = book, plan, axis
        self._left = False

    async def passed(self) -> bool:
        """True: customs have let it in. False: a person gave up, or the child was cancelled."""
        try:
            while not self.over:
                await self._pass_on()
        except GaveUp:
            return False
        return not self.axis.is_cancelled

    def leave(self, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """The child was stopped: it does not count against its buyer's limits any more."""
        if self.plan.customs and not self._left:
            self._left = True
            spawn(self._withdraw())

    @property
    def over(self) -> bool:
        return self.axis.cleared or self.axis.is_cancelled

    async def _pass_on(self) -> None:
        """Once through: assessed, declared, answered. Ends early when there is something to begin anew with."""
        assessment = await self._assess()
        if not assessment.may_go:
            await self._ask("limit", assessment.why)
            return
        await self._declare(assessment)
        await workflow.wait_condition(lambda: self.over or self.axis.customs_refusal is not None)
        if (refusal := self.axis.customs_refusal) is not None and not self.over:
            await self._ask("refused", refusal)
            self.axis.customs_refusal = None

    async def _assess(self) -> Assessment:
        message = Assess(order_no=self.book.order.order_no, child_no=self.plan.child_no, at=workflow.now())
        found: Assessment = await _own_step(CustomsBooks.assess, message, f"customs assessment of {self.plan.child_no}")
        return found

    async def _declare(self, assessment: Assessment) -> None:
        step = Step(
            CUSTOMS, "declare", Declared, GIVE_UP, self.plan.child_no,
            settled=lambda: self.over or self.axis.customs_refusal is not None,
        )  # fmt: skip
        declared = await guarded(self.book.tickets, step, lambda: self._send(assessment))
        if declared is None or self.axis.is_cancelled:
            return
        message = Noted(child_no=self.plan.child_no, at=workflow.now(), reference=declared.reference)
        await _own_step(CustomsBooks.declared, message, f"{self.plan.child_no} is declared")

    async def _send(self, assessment: Assessment) -> Declared:
        payment = self.book.payment
        return await workflow.execute_activity_method(
            CustomsActivities.declare,
            DeclareCall(
                backoff_s=self.book.policy.retry_backoff_s,
                channel=self.book.order.payment.channel,
                order_no=self.book.order.order_no,
                transaction_id=payment.transaction_id if payment else "",
                child_no=self.plan.child_no,
                product_fee_minor=assessment.product_fee_minor,
                transport_fee_minor=assessment.transport_fee_minor,
                tax_minor=assessment.tax_minor or 0,
            ),
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=retries(self.book.policy.retry_backoff_s),
            summary=f"declare {self.plan.child_no}",
        )

    async def _withdraw(self) -> None:
        message = Noted(child_no=self.plan.child_no, at=workflow.now())
        await _own_step(CustomsBooks.withdraw, message, f"withdraw {self.plan.child_no} from customs")

    async def _ask(self, step: str, error: str) -> None:
        """Returns when it is to be tried again, or has been settled meanwhile. Raises `GaveUp`."""
        ticket = self.book.tickets.open(CUSTOMS, step, error, self.plan.child_no, GIVE_UP, actions=("retry", "give_up"))
        await workflow.wait_condition(lambda: ticket.resolution is not None or self.over)
        if ticket.resolution is None:
            self.book.tickets.close_on_evidence(ticket)
        elif ticket.resolution.action == "give_up":
            raise GaveUp(step)


async def _own_step(step: Any, message: Any, summary: str) -> Any:
    return await workflow.execute_local_activity_method(
        step, message, start_to_close_timeout=STORE_TIMEOUT, retry_policy=STORE_RETRY, summary=summary
    )
