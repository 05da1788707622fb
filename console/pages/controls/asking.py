"""A change of the controls asked for from a page: done at once where it only takes power away, else a question."""

from starlette.requests import Request

from console.session.user import User
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.controls import ControlChange, subject_of
from starter.clients.controls import next_number
from store.approvals.approvals import ApprovalStore
from workflows.approvals.control_messages import ControlAnswer


async def asked(request: Request, user: User, change: ControlChange) -> str | RefusedAct:
    """The number of the question that another person decides; '' when it was done at once. What is asked already is not
    asked twice."""
    pool = wiring_of(request).pool
    for known in await ApprovalStore(pool).list(subject=subject_of(change)):
        if known.request.content.get("change") == change.model_dump(mode="json"):
            return known.request.approval_id

    async def ask() -> ControlAnswer:
        return await (await user.controls()).ask(change, await next_number(pool, change), user.id)

    came = await tried(ask())
    if isinstance(came, RefusedAct):
        return came
    return came.approval.approval_id if came.approval else ""
