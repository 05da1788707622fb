"""What a decision's token was made for, against what is asked; and who was faster."""

from domain.approvals import ApprovalRequest, Decided, Decision, Identity, RefusalCode
from store.errors import DecisionRefused


def check_binding(request: ApprovalRequest, decision: Decision, identity: Identity) -> None:
    """The token was made for this approval and this content, and the person has seen this content and says why."""
    if identity.approval_id != request.approval_id:
        why = f"the token is for another approval than {request.approval_id}"
        raise DecisionRefused(RefusalCode.TOKEN_INVALID, why)
    if {identity.content_hash, decision.content_hash} != {request.content_hash}:
        why = f"the content of {request.approval_id} is not what was seen; look again with `oms approve show`"
        raise DecisionRefused(RefusalCode.HASH_MISMATCH, why)
    if not decision.remark.strip():
        raise DecisionRefused(RefusalCode.REMARK_REQUIRED, f"a decision of {request.approval_id} needs a remark")


def already_decided(approval_id: str, state: str, decided: Decided | None) -> DecisionRefused:
    """The refusal of a later decision; it says what stands."""
    why = f"approval {approval_id} is {state}"
    if decided is not None:
        why = f"approval {approval_id} was {state} by {decided.person_id} at {decided.at.isoformat()}"
    return DecisionRefused(RefusalCode.ALREADY_DECIDED, why, decided)
