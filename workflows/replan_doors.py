"""The doors for changing how an order is fulfilled: shipping children together, splitting them by hand."""

from temporalio import workflow

from workflows.decision_doors import DecisionDoors
from workflows.replan_messages import Requested, RequestMerge, RequestResplit
from workflows.replanning import Replanning


class ReplanDoors(DecisionDoors):
    replanning: Replanning

    def _check_registered(self) -> None: ...

    @workflow.update
    async def request_merge(self, message: RequestMerge) -> Requested:
        """Answers once the question is in the books; refused with a `MergeCode` as type."""
        return await self.replanning.request_merge(message)

    @request_merge.validator
    def _check_merge(self, message: RequestMerge) -> None:
        self._check_registered()
        self.replanning.check_merge(message)

    @workflow.update
    async def request_resplit(self, message: RequestResplit) -> Requested:
        """Answers once the question is in the books; refused with a `ReplanCode` as type."""
        return await self.replanning.request_resplit(message)

    @request_resplit.validator
    def _check_resplit(self, message: RequestResplit) -> None:
        self._check_registered()
        self.replanning.check_resplit(message)
