"""Pictures for applications: looked at, written anew, kept under our own names (R42)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from console.api.callers import Caller, Scoped
from console.api.once import Key, once
from console.api.orders import insist_on_order
from console.api.problems import CHANGING, ApiProblem, may_answer
from console.api.reading import insist_on_type, read_bytes
from domain.access.api_tokens import ApiScope
from domain.order import Id, OrderNo
from domain.returns.models import Actor, ReturnNo
from domain.strict import Strict
from starter.clients.evidence import EvidenceRefused, StoredEvidence

router = APIRouter(tags=["returns"])
UPLOADS = Annotated[Caller, Depends(Scoped(ApiScope.EVIDENCE_WRITE))]
MOST_BYTES = 6_000_000
"""A little above what a picture may have, so that the desk itself says what is wrong."""
PICTURES = ("image/jpeg", "image/png", "image/webp")
FORM = "multipart/form-data"
STATUS = {"FORBIDDEN": 403, "TOO_LARGE": 413, "QUOTA": 409, "STORE_FULL": 503, "AWAY": 503}

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {
    "schema": {
        "type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}},
    }
}  # fmt: skip
_PICTURE = {"requestBody": {"required": True, "content": {**dict.fromkeys(PICTURES, _BINARY), FORM: _FILE}}}


class PictureStored(BaseModel):
    """`evidence_id`: goes into `evidence` of the application."""

    evidence_id: str
    content_type: str
    size: int
    width: int
    height: int


@router.post(
    "/returns/{return_no}/evidence", status_code=201, response_model=PictureStored, operation_id="addEvidence",
    summary="A picture for an application", responses=may_answer(*CHANGING), openapi_extra=_PICTURE,
)  # fmt: skip
async def add_picture(
    request: Request, caller: UPLOADS, return_no: ReturnNo, order_no: OrderNo, buyer_id: Id, key: Key
) -> Response:
    """JPEG, PNG or WebP, 5 MB at most, nine a case; as the body itself, or as part `file` of a form. The case need not
    exist yet."""
    content = await _picture(request)
    await insist_on_order(request, caller, order_no)
    pictures = caller.wiring.pictures
    if pictures is None:
        raise ApiProblem(503, "NO_PICTURES", "pictures are not taken here: OMS_EVIDENCE_URL is not set")
    about = Uploaded(order_no=order_no, buyer_id=buyer_id)

    async def act(_attempt: int) -> StoredEvidence:
        buyer = Actor(kind="buyer", id=buyer_id)
        try:
            return await pictures.add(return_no, order_no, buyer, content, caller.wiring.now())
        except EvidenceRefused as why:
            status = STATUS.get(why.code, 422)
            raise ApiProblem(status, why.code, str(why), final=status < 500) from why

    return await once(request, caller, key, about, 201, act, content)


class Uploaded(Strict):
    order_no: str
    buyer_id: str


async def _picture(request: Request) -> bytes:
    """Raises `ApiProblem`."""
    if insist_on_type(request, *PICTURES, FORM) != FORM:
        return await read_bytes(request, MOST_BYTES)
    whole = await read_bytes(request, MOST_BYTES + 10_000)

    async def again() -> Any:
        return {"type": "http.request", "body": whole, "more_body": False}

    try:
        form = await Request(request.scope, again).form(max_files=1, max_fields=10)
    except (MultiPartException, ValueError, KeyError):
        raise ApiProblem(422, "INVALID_FORM", "this is no form that can be read") from None
    except Exception as why:  # the parser's own kinds
        raise ApiProblem(422, "INVALID_FORM", f"this is no form that can be read ({type(why).__name__})") from None
    file = form.get("file")
    if file is None or isinstance(file, str):
        raise ApiProblem(422, "INVALID_FORM", "the form has no part `file` with a picture")
    return await file.read()
