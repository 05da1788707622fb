"""`/returns/{return_no}/pictures/{id}`: one picture of a case, for staff. Each look is written down."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.security.access import Needs, refuse
from console.session.user import User
from console.wiring import wiring_of
from domain.approvals import Role
from domain.records import AuditEntry
from starter.clients.evidence import EvidenceRefused
from store.audit.audit import AuditStore
from store.console.scopes import sees_order
from store.pool import clean
from store.returns.evidence import EvidenceStore

router = APIRouter()
VIEWERS = Needs(Role.CS_AGENT, Role.CS_SUPERVISOR, Role.FINANCE, Role.WAREHOUSE, Role.ORDER_OPS)


@router.get("/returns/{return_no}/pictures/{evidence_id}")
async def picture(
    request: Request, user: Annotated[User, Depends(VIEWERS)], return_no: str, evidence_id: str
) -> Response:
    wiring = wiring_of(request)
    row = await EvidenceStore(wiring.pool).get(clean(return_no), clean(evidence_id))
    if row is None or wiring.pictures is None:
        raise HTTPException(404)
    if not await sees_order(wiring.pool, row.order_no, user.scope):
        await refuse(request, user, "OUT_OF_SCOPE")
    try:
        found = await wiring.pictures.fetch(row.return_no, row.evidence_id, user.id, staff=True)
    except EvidenceRefused:
        raise HTTPException(404) from None
    detail = {"return_no": row.return_no, "evidence_id": row.evidence_id}
    entry = AuditEntry(actor=user.id, action="evidence.seen", detail=detail)
    await AuditStore(wiring.pool).append(entry, wiring.now(), row.order_no)
    return Response(found.content, headers=found.headers)
