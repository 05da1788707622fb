"""One child at the border: assessed, declared at the payment channel, held until customs let it in (R38).

A limit is no failure: nothing is retried, a person decides. Customs' own word, whenever it comes, ends every wait.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from temporalio import workflow

from activities.customs import Assess, CustomsActivities, CustomsBooks, DeclareCall, Declared, Noted
from domain.fulfilment.clearance import Assessment
from domain.fulfilment.parcel_states import ParcelStateMachine
from domain.records import ChildPlan
from workflows.durable.carrying import Table
from workflows.durable.guarded import GaveUp, Step, attempt, guarded
from workflows.durable.local_steps import until_in_store
from workflows.order.state import OrderState

CUSTOMS = "customs"
GIVE_UP = "the child is cancelled and its money refunded"


class Border:
    """What a child meets there. A child that does not cross it meets nothing."""

    CARRIED = Table(
        _left=bool, _declared=bool, left={"order_state": "wiring", "plan": "the parcel's", "machine": "the parcel's"}
    )

    def __init__(self, order_state: OrderState, plan: ChildPlan, machine: ParcelStateMachine) -> None:
        self.order_state = order_state
        self.plan = plan
        self.machine = machine
        self._left = False
        self._declared = False
        """Customs have been told, and have not answered."""

    async def passed(self) -> bool:
        """True: customs have let it in. False: a person gave up, or the child was cancelled."""
        try:
            while not self.over:
                await self._pass_on()
        except GaveUp:
            return False
        return not self.machine.is_cancelled

    def leave(self, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """The child was stopped: it does not count against its buyer's limits any more."""
        if self.plan.customs and not self._left:
            self._left = True
            spawn(self._withdraw())

    @property
    def over(self) -> bool:
        return self.machine.cleared or self.machine.is_cancelled

    async def _pass_on(self) -> None:
        """Once through: assessed, declared, answered. Ends early when there is something to begin anew with."""
        if self._asked("limit"):
            await self._ask("limit", "")
            return
        if not self._declared:
            assessment = await self._assess()
            if not assessment.may_go:
                await self._ask("limit", assessment.why)
                return
            await self._declare(assessment)
            self._declared = True
        await workflow.wait_condition(lambda: self.over or self.machine.customs_refusal is not None)
        if (refusal := self.machine.customs_refusal) is not None and not self.over:
            await self._ask("refused", refusal)
            self.machine.customs_refusal = None
        self._declared = False

    def _asked(self, step: str) -> bool:
        return self.order_state.tickets.left_open(CUSTOMS, step, self.plan.child_no) is not None

    async def _assess(self) -> Assessment:
        message = Assess(order_no=self.order_state.order.order_no, child_no=self.plan.child_no, at=workflow.now())
        return await until_in_store(CustomsBooks.assess, message, summary=f"customs assessment of {self.plan.child_no}")

    async def _declare(self, assessment: Assessment) -> None:
        step = Step(
            CUSTOMS, "declare", Declared, GIVE_UP, self.plan.child_no,
            settled=lambda: self.over or self.machine.customs_refusal is not None,
        )  # fmt: skip
        declared = await guarded(self.order_state.tickets, step, lambda: self._send(assessment))
        if declared is None or self.machine.is_cancelled:
            return
        message = Noted(child_no=self.plan.child_no, at=workflow.now(), reference=declared.reference)
        await until_in_store(CustomsBooks.declared, message, summary=f"{self.plan.child_no} is declared")

    async def _send(self, assessment: Assessment) -> Declared:
        payment = self.order_state.payment
        return await attempt(
            CustomsActivities.declare,
            DeclareCall(
                backoff_s=self.order_state.policy.retry_backoff_s,
                channel=self.order_state.order.payment.channel,
                order_no=self.order_state.order.order_no,
                transaction_id=payment.transaction_id if payment else "",
                child_no=self.plan.child_no,
                product_fee_minor=assessment.product_fee_minor,
                transport_fee_minor=assessment.transport_fee_minor,
                tax_minor=assessment.tax_minor or 0,
            ),
            summary=f"declare {self.plan.child_no}",
        )

    async def _withdraw(self) -> None:
        message = Noted(child_no=self.plan.child_no, at=workflow.now())
        await until_in_store(CustomsBooks.withdraw, message, summary=f"withdraw {self.plan.child_no} from customs")

    async def _ask(self, step: str, error: str) -> None:
        """Returns when it is to be tried again, or has been settled meanwhile. Raises `GaveUp`."""
        resolution = await self.order_state.tickets.ask(
            CUSTOMS, step, error, self.plan.child_no, GIVE_UP, settled=lambda: self.over, actions=("retry", "give_up")
        )
        if resolution is not None and resolution.action == "give_up":
            raise GaveUp(step)
