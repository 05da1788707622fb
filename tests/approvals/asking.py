"""A workflow that asks one question and waits: the doors and waits of approvals without any business around them."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.approvals import ApprovalRequest
    from workflows.approvals.approvals import Waits
    from workflows.approvals.handlers import DecisionHandlers


@workflow.defn(name="Asking")
class Asking(DecisionHandlers):
    @workflow.init
    def __init__(self, request: ApprovalRequest) -> None:
        self.overdue: list[str] = []

    @workflow.run
    async def run(self, request: ApprovalRequest) -> str:
        await self.approvals.open(request)
        decided = await self.approvals.decided(request.approval_id, Waits(), lambda r, what: self.overdue.append(what))
        await workflow.wait_condition(workflow.all_handlers_finished)
        if decided is None:
            return "withdrawn"
        if not decided.approved:
            return f"rejected by {decided.person_id}"
        used = await self.approvals.use(request.approval_id, "R-1")
        return f"done, approved by {used.person_id}"

    @workflow.query
    def said(self) -> list[str]:
        return self.overdue
