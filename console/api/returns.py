"""After-sales cases: what one would come to, applied for, looked at, withdrawn, sent back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from console.api.callers import Caller, Scoped
from console.api.once import Key, once, own_key
from console.api.order_shapes import ForSomebody
from console.api.orders import insist_on_order
from console.api.problems import CHANGING, READING, ApiProblem, may_answer
from console.api.reading import own_cursor, read_json, takes
from console.api.refusals import as_problem
from domain.access.api_tokens import ApiScope
from domain.order import Id, OrderNo, Qty, Text
from domain.returns.enums import CaseStatus, Fault, Reason, ReturnType
from domain.returns.models import Actor, ApplyReturn, CaseUnit, EvidenceId, Parcel, Quote, ReturnNo, ReturnView
from domain.returns.waybills import as_printed, odd_number
from domain.strict import Strict
from starter.clients.return_errors import ReturnExists
from store.console.returns import ReturnFilter, ReturnPages
from store.errors import OrderRefused
from store.returns import ReturnStore
from store.rules.policies import PolicyStore
from workflows.returns.messages import Applied, CancelReturn, EnterWaybill, Received

router = APIRouter(tags=["returns"])
READS = Annotated[Caller, Depends(Scoped(ApiScope.RETURNS_READ))]
WRITES = Annotated[Caller, Depends(Scoped(ApiScope.RETURNS_WRITE))]
Turn = Literal["BUYER", "CS_AGENT", "CS_SUPERVISOR", "WAREHOUSE", "FINANCE"]


class ReturnRequest(Strict):
    """`buyer_id`: for whom it is asked; only the order's own is one. `lines`: units by line_id."""

    return_no: ReturnNo
    order_no: OrderNo
    buyer_id: Id
    type: ReturnType
    channel: Id
    lines: Annotated[dict[Id, Qty], Field(min_length=1, max_length=10_000)]
    reason: Reason
    fault: Fault = Fault.NONE
    description: Text | None = None
    answers: Annotated[dict[Annotated[str, Field(max_length=30)], Text], Field(max_length=20)] = Field(
        default_factory=dict
    )
    evidence: Annotated[tuple[EvidenceId, ...], Field(max_length=100)] = ()
    replacements: dict[Id, Id] = Field(default_factory=dict)

    def application(self) -> ApplyReturn:
        """Raises `ApiProblem`."""
        said = {name: getattr(self, name) for name in type(self).model_fields if name != "buyer_id"}
        try:
            return ApplyReturn(actor=Actor(kind="buyer", id=self.buyer_id), **said)
        except ValidationError as why:
            told = "; ".join(e["msg"] for e in why.errors(include_input=False, include_url=False))
            raise ApiProblem(422, "INVALID_BODY", told[:500]) from None


class Against(BaseModel):
    """A reason why it would not become a case."""

    code: str
    line_id: str | None
    text_zh: str
    text_en: str


class ReturnForecast(BaseModel):
    """`quote`: what would go back for the units that could; null when none could."""

    admitted: bool
    against: list[Against]
    quote: Quote | None


class WithdrawRequest(ForSomebody):
    reason: Text


class WaybillRequest(ForSomebody):
    carrier: Id
    waybill_no: Id
    way: Literal["own", "pickup"] = "own"
    as_is: bool = False
    """The number is right although it is none of its carrier's shapes."""


class CaseShown(BaseModel):
    return_no: str
    order_no: str
    type: ReturnType
    status: str
    waiting_for: str
    channel: str
    buyer_id: str
    reason: Reason
    fault: Fault
    currency: str
    quote: Quote
    refunded_minor: int
    units: list[CaseUnit]
    evidence: list[str]
    parcels: list[Parcel]
    close_reason: str | None
    applied_at: datetime
    ended_at: datetime | None


class CasesListed(BaseModel):
    returns: list[CaseShown]


class CaseLine(BaseModel):
    """`amount_minor`: what was quoted; null where nothing was."""

    return_no: str
    order_no: str
    type: ReturnType
    status: CaseStatus
    reason: Reason
    waiting_for: str
    channel: str
    buyer_id: str
    currency: str
    amount_minor: int | None
    refunded_minor: int
    applied_at: datetime
    ended_at: datetime | None


class CaseLinesListed(BaseModel):
    returns: list[CaseLine]
    next: str | None


class Withdrawn(Strict):
    return_no: str
    withdrawn: bool = True


@router.post(
    "/returns/quote", response_model=ReturnForecast, operation_id="quoteReturn", summary="What a return would come to",
    responses=may_answer(*READING, 413, 415), openapi_extra=takes(ReturnRequest),
)  # fmt: skip
async def quote(request: Request, caller: READS) -> ReturnForecast:
    """Nothing is held, and nothing is promised: the answer is that of this moment."""
    asked = await read_json(request, ReturnRequest)
    await insist_on_order(request, caller, asked.order_no)
    pool, now = caller.wiring.pool, caller.wiring.now()
    policy = await PolicyStore(pool).current()
    try:
        judgement, found = await ReturnStore(pool).forecast(asked.application(), policy, now)
    except OrderRefused as why:
        raise ApiProblem(403, "FORBIDDEN", str(why)[:300]) from None
    against = [
        Against(code=r.code, line_id=r.line_id, text_zh=r.text_zh, text_en=r.text_en) for r in judgement.refusals
    ]
    return ReturnForecast(admitted=judgement.admitted, against=against, quote=found)


@router.post(
    "/returns", status_code=201, response_model=Applied, operation_id="applyForReturn", summary="Apply for a return",
    responses=may_answer(*CHANGING), openapi_extra=takes(ReturnRequest),
)  # fmt: skip
async def apply(request: Request, caller: WRITES, key: Key) -> Response:
    """Answered at once: a case, or every reason against it. `return_no` is yours to choose."""
    asked = await read_json(request, ReturnRequest)
    await insist_on_order(request, caller, asked.order_no)
    application = asked.application()

    async def act(attempt: int) -> Applied:
        try:
            return await (await caller.returns()).apply(application)
        except ReturnExists as why:
            again = await _applied_before(caller, application) if attempt > 1 else None
            if again is None:
                raise as_problem(why) from why
            return again

    return await once(request, caller, key, asked, 201, act)


async def _applied_before(caller: Caller, application: ApplyReturn) -> Applied | None:
    """The answer to an earlier attempt of this very request; None: the number is another's. Raises `ApiProblem` when
    that cannot be said yet."""
    store = ReturnStore(caller.wiring.pool)
    known, view = await store.application(application.return_no), await store.view(application.return_no)
    if known is None or view is None:
        raise ApiProblem(503, "NO_ANSWER", "the case is on its way into the books; ask again", retry_after_s=5)
    if known.model_copy(update={"proof": None}) != application:
        return None
    return Applied(
        return_no=view.return_no, order_no=view.order_no, status=view.status, quote=view.quote, currency=view.currency,
        route=view.route,
    )  # fmt: skip


@router.get(
    "/returns", response_model=CaseLinesListed, operation_id="listAllReturns", summary="Cases, newest first",
    responses=may_answer(*READING),
)  # fmt: skip
async def listed(
    caller: READS,
    status: CaseStatus | None = None,
    type: ReturnType | None = None,
    turn: Annotated[Turn | None, Query(description="Whose turn it is.")] = None,
    open: Annotated[bool, Query(description="Only those that are not over yet.")] = False,
    number: Annotated[Id | None, Query(description="Of a return, an order or a waybill; or a buyer.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=300)] = None,
) -> CaseLinesListed:
    wanted = ReturnFilter(turn=turn, status=status, type=type, search=number, open_only=open)
    with own_cursor():
        page = await ReturnPages(caller.wiring.pool).page(wanted, caller.scope, limit, after)
    return CaseLinesListed(returns=[CaseLine.model_validate(dict(row)) for row in page.rows], next=page.next)


@router.get(
    "/returns/{return_no}", response_model=CaseShown, operation_id="getReturn", summary="One case",
    responses=may_answer(*READING),
)  # fmt: skip
async def shown(request: Request, caller: READS, return_no: ReturnNo) -> CaseShown:
    return _shown(await _seen(request, caller, return_no))


@router.get(
    "/orders/{order_no}/returns", response_model=CasesListed, operation_id="listReturns",
    summary="Cases of an order, newest first", responses=may_answer(*READING),
)  # fmt: skip
async def of_order(request: Request, caller: READS, order_no: OrderNo) -> CasesListed:
    await insist_on_order(request, caller, order_no)
    found = await ReturnStore(caller.wiring.pool).list(order_no=order_no, limit=200)
    return CasesListed(returns=[_shown(case) for case in found])


@router.post(
    "/returns/{return_no}/cancel", response_model=Withdrawn, operation_id="cancelReturn",
    summary="Take an application back", responses=may_answer(*CHANGING), openapi_extra=takes(WithdrawRequest),
)  # fmt: skip
async def cancel(request: Request, caller: WRITES, return_no: ReturnNo, key: Key) -> Response:
    asked = await read_json(request, WithdrawRequest)
    await _seen(request, caller, return_no)
    message = CancelReturn(by=caller.speaks_as(asked.on_behalf_of), reason=asked.reason)

    async def act(_attempt: int) -> Withdrawn:
        await (await caller.returns()).keyed(own_key(caller, key)).cancel(return_no, message)
        return Withdrawn(return_no=return_no)

    return await once(request, caller, key, asked, 200, act)


@router.post(
    "/returns/{return_no}/waybill", response_model=Received, operation_id="enterWaybill",
    summary="The goods are on their way back", responses=may_answer(*CHANGING), openapi_extra=takes(WaybillRequest),
)  # fmt: skip
async def waybill(request: Request, caller: WRITES, return_no: ReturnNo, key: Key) -> Response:
    asked = await read_json(request, WaybillRequest)
    await _seen(request, caller, return_no)
    number = as_printed(asked.waybill_no)
    if not asked.as_is and (like := odd_number(asked.carrier, number)):
        raise ApiProblem(
            422, "ODD_WAYBILL", f"{number} is no waybill of {asked.carrier}: one is like {like}; as_is takes it"
        )
    parcel = Parcel(carrier=asked.carrier, waybill_no=number, way=asked.way)
    message = EnterWaybill(by=caller.speaks_as(asked.on_behalf_of), parcel=parcel)

    async def act(_attempt: int) -> Received:
        return await (await caller.returns()).keyed(own_key(caller, key)).enter_waybill(return_no, message)

    return await once(request, caller, key, asked, 200, act)


async def _seen(request: Request, caller: Caller, return_no: str) -> ReturnView:
    """Raises `ApiProblem`."""
    found = await ReturnStore(caller.wiring.pool).view(return_no)
    if found is None:
        raise ApiProblem(404, "NO_SUCH_RETURN", f"there is no return {return_no}")
    try:
        await insist_on_order(request, caller, found.order_no)
    except ApiProblem:
        raise ApiProblem(404, "NO_SUCH_RETURN", f"there is no return {return_no}") from None
    return found


def _shown(case: ReturnView) -> CaseShown:
    said: dict[str, Any] = {name: getattr(case, name) for name in CaseShown.model_fields if name != "buyer_id"}
    lists: Sequence[str] = ("units", "evidence", "parcels")
    said |= {name: list(said[name]) for name in lists}
    who = case.applied_by
    return CaseShown(buyer_id=who.on_behalf_of or who.id, **said)
