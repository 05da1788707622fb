"""The doors for changing how an order is fulfilled: shipping children together, splitting them by hand,
sending them to another address."""

from temporalio import workflow

from workflows.approvals.handlers import DecisionHandlers
from workflows.durable.commands import repeatable, unless_done
from workflows.durable.proofs import proven
from workflows.durable.raw_messages import well_formed
from workflows.order.changes.messages import AddressChanged, ChangeAddress, Requested, RequestMerge, RequestResplit
from workflows.order.changes.readdressing import Readdressing
from workflows.order.changes.requests import FulfilmentChanges


class ChangeHandlers(DecisionHandlers):
    changes: FulfilmentChanges
    readdressing: Readdressing

    def _check_registered(self) -> None: ...

    @workflow.update
    @proven("order.request_merge", "_check_merge")
    @repeatable("_check_merge")
    async def request_merge(self, message: RequestMerge) -> Requested:
        """Answers once the question is in the books; refused with a `MergeCode` as type."""
        return await self.changes.request_merge(message)

    @request_merge.validator
    @well_formed
    @unless_done
    def _check_merge(self, message: RequestMerge) -> None:
        self._check_registered()
        self.changes.check_merge(message)

    @workflow.update
    @proven("order.request_resplit", "_check_resplit")
    @repeatable("_check_resplit")
    async def request_resplit(self, message: RequestResplit) -> Requested:
        """Answers once the question is in the books; refused with a `ReplanCode` as type."""
        return await self.changes.request_resplit(message)

    @request_resplit.validator
    @well_formed
    @unless_done
    def _check_resplit(self, message: RequestResplit) -> None:
        self._check_registered()
        self.changes.check_resplit(message)

    @workflow.update
    @proven("order.change_address", "_check_address")
    @repeatable("_check_address", still="_in_force")
    async def change_address(self, message: ChangeAddress) -> AddressChanged:
        """Answers once it is known which children go to the new address, and which do not."""
        return await self.readdressing.change(message)

    @change_address.validator
    @well_formed
    @unless_done
    def _check_address(self, message: ChangeAddress) -> None:
        self._check_registered()
        self.readdressing.check()

    def _in_force(self, message: ChangeAddress) -> bool:
        return self.readdressing.in_force(message.address)
