"""What a decision's token was made for, against what is asked."""

from domain.approvals import ApprovalRequest, Decision, Identity, RefusalCode
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
