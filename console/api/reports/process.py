"""How orders really went in a month, step by step, and the orders that stood longest before a step (R70)."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request

from console.api.problems import READING, ApiProblem, FieldFault, may_answer
from console.api.reports.for_all import READS, insist_on_all, span_of
from domain.states import ChildStatus, OrderStatus
from store.insight.process import ProcessReader, ProcessStep, SlowOrder

router = APIRouter(prefix="/reports/process", tags=["reports"])
Status = Annotated[str, Query(max_length=64)]


class ProcessShown(BaseModel):
    """Steps of orders first, then of parcels (`of_child`), those gone most often first. `share_bp`: of all that left
    the same status, in 1/10000; hours: how long they had stood there, null where that is not known."""

    month: str
    steps: Sequence[ProcessStep]


class SlowestOrders(BaseModel):
    """The longest first, a hundred at most."""

    month: str
    orders: Sequence[SlowOrder]


@router.get(
    "/{period}", response_model=ProcessShown, operation_id="getProcess", summary="How orders went in a month",
    responses=may_answer(*READING),
)  # fmt: skip
async def process(request: Request, caller: READS, period: str) -> ProcessShown:
    await insist_on_all(request, caller)
    span = span_of("health", period)
    return ProcessShown(month=span.name, steps=await ProcessReader(caller.wiring.pool).steps(span))


@router.get(
    "/{period}/orders", response_model=SlowestOrders, operation_id="listSlowestOrders",
    summary="The orders that stood longest before a step", responses=may_answer(*READING),
)  # fmt: skip
async def behind(
    request: Request, caller: READS, period: str, of: Literal["order", "parcel"], since: Status, to: Status
) -> SlowestOrders:
    """`since`, `to`: statuses of an order or of a parcel, as a step of the month has them."""
    await insist_on_all(request, caller)
    statuses: set[str] = set(ChildStatus if of == "parcel" else OrderStatus)
    wrong = [name for name, value in (("since", since), ("to", to)) if value not in statuses]
    if wrong:
        faults = [FieldFault(pointer=f"query/{n}", code="status", detail=f"no status of an {of}") for n in wrong]
        raise ApiProblem(422, "INVALID_REQUEST", f"{' and '.join(wrong)}: no status of an {of}", faults)
    span = span_of("health", period)
    found = await ProcessReader(caller.wiring.pool).behind(span, of == "parcel", since, to)
    return SlowestOrders(month=span.name, orders=found)
