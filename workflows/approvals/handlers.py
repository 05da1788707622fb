"""The two doors through which people decide: update `decide`, answered at once, and signal `decide_by_signal` for
clients that can only signal. A workflow that asks for approvals inherits them with its `approvals`."""

from collections.abc import Sequence
from functools import cached_property

from temporalio import workflow
from temporalio.common import RawValue

from domain.approvals import Decided, Decision
from workflows.approvals.approvals import Approvals
from workflows.durable.commands import RepeatableCommands, keeps_its_key, under_its_key
from workflows.durable.continuing import signal_heard
from workflows.durable.raw_messages import well_formed

DECIDE_BY_SIGNAL = "decide_by_signal"


class DecisionHandlers(RepeatableCommands):
    BY_SIGNAL = True
    """Decisions come by signal, too."""

    @cached_property
    def approvals(self) -> Approvals:
        return Approvals()

    @workflow.update
    @keeps_its_key
    async def decide(self, decision: Decision) -> Decided:
        """Refused with an error whose type is a `RefusalCode`; the refusal leaves an audit row."""
        return await self.approvals.decide(decision)

    @decide.validator
    @well_formed
    @under_its_key
    def _check_decision(self, decision: Decision) -> None:
        self.approvals.check(decision)

    @workflow.signal(dynamic=True)
    async def signalled(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Every signal, raw (workflows/durable/signals.py)."""
        signal_heard()
        if name == DECIDE_BY_SIGNAL and self.BY_SIGNAL:
            await self.approvals.by_signal(arguments)
        else:
            self._hear(name, arguments)

    def _hear(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Signals of the workflow's own."""
