"""The two doors through which people decide: update `decide`, answered at once, and signal `decide_by_signal` for
clients that can only signal. A workflow that asks for approvals inherits them with its `approvals`."""

from functools import cached_property

from temporalio import workflow
from temporalio.common import RawValue

from domain.approvals import Decided, Decision
from workflows.approvals import Approvals


class DecisionDoors:
    @cached_property
    def approvals(self) -> Approvals:
        return Approvals()

    @workflow.update
    async def decide(self, decision: Decision) -> Decided:
        """Refused with an error whose type is a `RefusalCode`; the refusal leaves an audit row."""
        return await self.approvals.decide(decision)

    @decide.validator
    def _check_decision(self, decision: Decision) -> None:
        self.approvals.check(decision)

    @workflow.signal
    async def decide_by_signal(self, raw: RawValue) -> None:
        await self.approvals.by_signal(raw)
