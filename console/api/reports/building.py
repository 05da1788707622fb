"""A report built again of what is known now."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from console.api.once import Key, once, own_number
from console.api.problems import CHANGING, may_answer
from console.api.reading import read_json, takes
from console.api.reports.for_all import WRITES, insist_on_all, span_of
from domain.access.desk import BuildReportNow
from domain.strict import Strict
from store.insight.reports import ReportKind

router = APIRouter(prefix="/reports", tags=["reports"])


class BuildRequest(Strict):
    """Nothing but what the address says."""


class ReportMade(BaseModel):
    """`new`: other facts than in the version before; else it is that version."""

    kind: ReportKind
    period: str
    version: int
    new: bool


@router.post(
    "/{kind}/{period}/build", response_model=ReportMade, operation_id="buildReport",
    summary="Build a report again of what is known now", responses=may_answer(*CHANGING),
    openapi_extra=takes(BuildRequest),
)  # fmt: skip
async def build(request: Request, caller: WRITES, kind: ReportKind, period: str, key: Key) -> Response:
    """Of a month or a week that is over. The same facts make no new version."""
    asked = await read_json(request, BuildRequest)
    await insist_on_all(request, caller)
    work = BuildReportNow(report=kind, period=span_of(kind, period).name)

    async def act(attempt: int) -> ReportMade:
        done = await (await caller.desk()).do(work, own_number(caller, key, work, attempt), caller.id)
        return ReportMade(kind=kind, period=done["period"], version=done["version"], new=done["new"])

    return await once(request, caller, key, asked, 200, act)
