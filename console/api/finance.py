"""Money as the pages of finance show it: what moved, what is to go back and has not, how the books compare with those
of others; and a comparison begun now."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from console.api.callers import Caller, Scoped, refuse
from console.api.once import Key, once
from console.api.problems import CHANGING, READING, ApiProblem, FieldFault, may_answer
from console.api.reading import own_cursor, read_json, takes
from console.text.language import CHINA
from domain.access.api_tokens import ApiScope
from domain.order import OrderNo
from domain.records import AuditEntry
from domain.strict import Strict
from starter.clients.comparing import compare_now
from store.audit.audit import AuditStore
from store.console.money import BillDay, ChannelTotal, MoneyFilter, MoneyPages, MoneyRow
from store.console.payouts import PayoutPages, Turn, TurnSum, WaitingPayout
from store.console.scopes import seen_among
from store.polling.measures import Accuracy, Delay, DriftRow, MeasureStore, Reconciled

router = APIRouter(prefix="/finance", tags=["finance"])
READS = Annotated[Caller, Depends(Scoped(ApiScope.FINANCE_READ))]
WRITES = Annotated[Caller, Depends(Scoped(ApiScope.FINANCE_WRITE))]
Day = Annotated[date | None, Query(description="Of Shanghai, 2000 to 2200.")]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(max_length=300)]
BILLS_OF = timedelta(days=14)
SHOWN = 500


class MoneyListed(BaseModel):
    money: Sequence[MoneyRow]
    next: str | None


class DayTotals(BaseModel):
    """What each channel moved on that day as our books have it; `bills`: those that were read of the 14 days before."""

    day: date
    totals: Sequence[ChannelTotal]
    bills: Sequence[BillDay]


class PayoutsListed(BaseModel):
    """Longest waiting first. `sums`: of all of them, by whose turn it is."""

    payouts: Sequence[WaitingPayout]
    sums: Sequence[TurnSum]
    next: str | None


class DifferencesShown(BaseModel):
    """As measured when the day's comparison was over; `compared` null: it has not been. `hidden`: differences of orders
    that this token does not see; `more`: beyond the 500 that are told."""

    day: date
    compared: Reconciled | None
    accuracy: Sequence[Accuracy]
    delays: Sequence[Delay]
    differences: Sequence[DriftRow]
    hidden: int
    more: int


class ComparisonRequest(Strict):
    """Everything that was written to since yesterday began is compared with everybody's books, as in the night."""


class ComparisonAsked(BaseModel):
    """It has begun: what differs is told by `GET /finance/differences` as it is found."""

    asked_at: datetime
    asked_today: int


@router.get(
    "/money", response_model=MoneyListed, operation_id="listMoney", summary="Money of one kind, newest first",
    responses=may_answer(*READING),
)  # fmt: skip
async def money(
    caller: READS,
    kind: Literal["payments", "refunds", "chargebacks", "outside"] = "payments",
    waiting: Annotated[bool, Query(description="Only what is not at its end; payments always are.")] = False,
    day: Day = None,
    order_no: OrderNo | None = None,
    limit: Limit = 100,
    after: After = None,
) -> MoneyListed:
    wanted = MoneyFilter(kind=kind, waits=waiting, day=_known(day), order_no=order_no)
    with own_cursor():
        page = await MoneyPages(caller.wiring.pool).page(caller.scope, wanted, limit, after)
    return MoneyListed(money=page.rows, next=page.next)


@router.get(
    "/totals", response_model=DayTotals, operation_id="getTotals", summary="A day's sums by channel",
    responses=may_answer(*READING),
)  # fmt: skip
async def totals(caller: READS, day: Day = None) -> DayTotals:
    """Without a day: today."""
    chosen, pages = _known(day) or _today(caller), MoneyPages(caller.wiring.pool)
    found = await pages.totals(caller.scope, chosen)
    return DayTotals(day=chosen, totals=found, bills=await pages.bills(chosen - BILLS_OF))


@router.get(
    "/payouts", response_model=PayoutsListed, operation_id="listPayouts",
    summary="Money that is to go back and has not, and whose turn it is", responses=may_answer(*READING),
)  # fmt: skip
async def payouts(
    caller: READS, turn: Turn | None = None, limit: Limit = 100, after: After = None
) -> PayoutsListed:  # fmt: skip
    pages = PayoutPages(caller.wiring.pool)
    with own_cursor():
        page = await pages.page(caller.scope, turn, limit, after)
    return PayoutsListed(payouts=page.rows, sums=await pages.sums(caller.scope), next=page.next)


@router.get(
    "/differences", response_model=DifferencesShown, operation_id="getDifferences",
    summary="What a day's comparison found between others' books and ours", responses=may_answer(*READING),
)  # fmt: skip
async def differences(caller: READS, day: Day = None) -> DifferencesShown:
    """Without a day: yesterday."""
    pool, chosen = caller.wiring.pool, _known(day) or _today(caller) - timedelta(days=1)
    report = await MeasureStore(pool).day(chosen, anew=False)
    seen = await seen_among(pool, [one.order_no for one in report.drifts], caller.scope)
    told = [one for one in report.drifts if one.order_no in seen]
    return DifferencesShown(
        day=chosen, compared=report.reconciled, accuracy=report.accuracy, delays=report.delays,
        differences=told[:SHOWN], hidden=len(report.drifts) - len(told), more=max(0, len(told) - SHOWN),
    )  # fmt: skip


@router.post(
    "/comparisons", status_code=202, response_model=ComparisonAsked, operation_id="compareNow",
    summary="Have the books compared now", responses=may_answer(*CHANGING), openapi_extra=takes(ComparisonRequest),
)  # fmt: skip
async def compare(request: Request, caller: WRITES, key: Key) -> Response:
    """Twelve times a day, by whomever; not for a token of some shops or warehouses."""
    asked = await read_json(request, ComparisonRequest)
    if caller.scope.channels is not None or caller.scope.warehouses is not None:
        await refuse(request, caller, "OUT_OF_SCOPE", "all orders are compared; this token is not for all")
    wiring = caller.wiring

    async def act(_attempt: int) -> ComparisonAsked:
        now = wiring.now()
        today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
        before = await MeasureStore(wiring.pool).asked_since(today)
        await compare_now(await wiring.temporal.client(), before)
        entry = AuditEntry(actor=caller.id, action="reconcile.asked", detail={"since": f"{today:%Y-%m-%d}"})
        await AuditStore(wiring.pool).append(entry, now)
        return ComparisonAsked(asked_at=now, asked_today=before + 1)

    return await once(request, caller, key, asked, 202, act)


def _today(caller: Caller) -> date:
    return caller.wiring.now().astimezone(CHINA).date()


def _known(day: date | None) -> date | None:
    """Raises `ApiProblem`."""
    if day is not None and not 2000 <= day.year <= 2200:
        fault = FieldFault(pointer="query/day", code="day", detail="a day from 2000 to 2200")
        raise ApiProblem(422, "INVALID_REQUEST", "there is nothing of such a day", [fault])
    return day
