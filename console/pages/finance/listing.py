"""`/finance`: money as the books have it, day by day and kind by kind, against the bills of the channels."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import FINANCE_READERS
from console.pages.csv_files import csv_file
from console.pages.rendering import render
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import CHINA, language_of
from console.wiring import wiring_of
from domain.records import AuditEntry
from store.audit.audit import AuditStore
from store.console.money import KINDS, MoneyFilter, MoneyPages
from store.pool import clean

router = APIRouter()
A_PAGE = 40
EXPORTED = 10_000
BILLS_OF = timedelta(days=14)
ONLY = {"waits": N_("Not at its end")}
COLUMNS = ("at", "number", "order_no", "channel", "amount_minor", "currency", "state", "detail")


@router.get("/finance")
async def finance(
    request: Request,
    user: Annotated[User, Depends(FINANCE_READERS)],
    kind: str = "payments",
    only: str = "",
    day: str = "",
    order: str = "",
    after: str = "",
) -> Response:
    wiring, language = wiring_of(request), language_of(request)
    wanted = _wanted(kind, only, day, order)
    pages = MoneyPages(wiring.pool)
    try:
        page = await pages.page(user.scope, wanted, A_PAGE, after or None)
    except ValueError:
        raise HTTPException(400) from None
    today = wiring.now().astimezone(CHINA).date()
    return render(
        request, "finance/listing.html", user, page=page, kind=kind, day=wanted.day or today,
        kinds=[(value, language.word("money kind", value)) for value in KINDS],
        only=[(value, language.say(text)) for value, text in ONLY.items()] if kind != "payments" else [],
        totals=await pages.totals(user.scope, wanted.day or today), bills=await pages.bills(today - BILLS_OF),
    )  # fmt: skip


@router.get("/finance/export")
async def export(
    request: Request,
    user: Annotated[User, Depends(FINANCE_READERS)],
    kind: str = "payments",
    only: str = "",
    day: str = "",
    order: str = "",
) -> Response:
    """What is filtered, as CSV for spreadsheets; that it was taken is written down."""
    wiring, wanted = wiring_of(request), _wanted(kind, only, day, order)
    page = await MoneyPages(wiring.pool).page(user.scope, wanted, EXPORTED)
    rows = [[getattr(row, name) for name in COLUMNS] for row in page.rows]
    detail = {"what": f"finance/{kind}", "rows": len(rows)}
    await AuditStore(wiring.pool).append(
        AuditEntry(actor=user.id, action="console.exported", detail=detail), wiring.now()
    )
    return csv_file(f"{kind}-{day or 'all'}.csv", COLUMNS, rows, EXPORTED if page.next else None)


def _wanted(kind: str, only: str, day: str, order: str) -> MoneyFilter:
    """Raises `HTTPException` for a filter that does not exist."""
    try:
        chosen = date.fromisoformat(day) if day else None
    except ValueError:
        raise HTTPException(400) from None
    if kind not in KINDS or (only and only not in ONLY) or (chosen and not 2000 <= chosen.year <= 2200):
        raise HTTPException(400)
    return MoneyFilter(kind=kind, waits=bool(only), day=chosen, order_no=clean(order.strip()) or None)
