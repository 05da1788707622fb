"""The doors for changing how an order is fulfilled: shipping children together, splitting them by hand,
sending them to another address."""

from temporalio import workflow

from workflows.decision_doors import DecisionDoors
from workflows.readdressing import Readdressing
from workflows.replan_messages import AddressChanged, ChangeAddress, Requested, RequestMerge, RequestResplit
from workflows.replanning import Replanning


class ReplanDoors(DecisionDoors):
    replanning: Replanning
    readdressing: Readdressing

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

    @workflow.update
    async def change_address(self, message: ChangeAddress) -> AddressChanged:
        """Answers once it is known which children go to the new address, and which do not."""
        return await self.readdressing.change(message)

    @change_address.validator
    def _check_address(self, message: ChangeAddress) -> None:
        self._check_registered()
        self.readdressing.check()
