"""People who decide: everybody is who their token says, and nobody is out for having asked."""

from collections.abc import Callable
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.access.authority import AdmitCommand, AdmittedCommand
from activities.approvals import Decide, Execution, OpenApproval, Withdraw
from activities.return_messages import CancelRoute, RouteFound
from domain.approvals import ApprovalRequest, Decided, Decision
from domain.returns.enums import Level


@activity.defn(name="people.admit")
async def believed(message: AdmitCommand) -> AdmittedCommand:
    """Everybody is who they say here, whatever their proof."""
    return AdmittedCommand(person_id=message.by)


class Office:
    """`asked`: every question, by number; `withdrawn`, `used`: what became of them."""

    def __init__(self) -> None:
        self.asked: dict[str, ApprovalRequest] = {}
        self.decided: dict[str, Decided] = {}
        self.withdrawn: set[str] = set()
        self.used: dict[str, str] = {}
        self.cancelling: tuple[Level, ...] = (Level.SYSTEM,)
        """Who has to agree that a paid order is cancelled: in most plays nobody."""

    def decision(self, approval_id: str, person: str = "boss", *, approve: bool = True) -> Decision:
        request = self.asked[approval_id]
        return Decision(
            approval_id=approval_id, decision="approve" if approve else "reject", remark="seen",
            content_hash=request.content_hash, token=person,
        )  # fmt: skip

    def activities(self) -> list[Callable[..., Any]]:
        @activity.defn(name="people.open")
        async def open_(message: OpenApproval) -> None:
            self.asked[message.request.approval_id] = message.request

        @activity.defn(name="people.decide")
        async def decide(message: Decide) -> Decided:
            said, request = message.decision, self.asked[message.decision.approval_id]
            if said.approval_id in self.withdrawn | self.decided.keys():
                raise ApplicationError(f"{said.approval_id} is over", type="ALREADY_DECIDED", non_retryable=True)
            self.decided[said.approval_id] = Decided(
                approval_id=said.approval_id, decision=said.decision, person_id=said.token, role=request.role,
                remark=said.remark, at=activity.info().current_attempt_scheduled_time, content_hash=said.content_hash,
            )  # fmt: skip
            return self.decided[said.approval_id]

        @activity.defn(name="people.withdraw")
        async def withdraw(message: Withdraw) -> bool:
            if message.approval_id in self.decided:
                return False
            self.withdrawn.add(message.approval_id)
            return True

        @activity.defn(name="people.still_valid")
        async def still_valid(message: Execution) -> Decided:
            if message.used_for is not None:
                self.used[message.approval_id] = message.used_for
            return self.decided[message.approval_id]

        @activity.defn(name="returns.cancel_route")
        async def cancel_route(message: CancelRoute) -> RouteFound:
            return RouteFound(levels=self.cancelling)

        return [cancel_route, open_, decide, withdraw, still_valid, believed]
