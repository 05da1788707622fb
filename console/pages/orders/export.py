"""What is filtered, or ticked, as a file for spreadsheets; that it was taken is written down."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import ORDER_READERS
from console.pages.csv_files import csv_file
from console.pages.orders.batch import MOST_EXPORTED, asked_of_form, ticked
from console.pages.orders.columns import read_columns, text_of
from console.pages.orders.filters import filter_of
from console.security.forms import read_form
from console.session.user import User
from console.text.language import CHINA, language_of
from console.wiring import wiring_of
from domain.records import AuditEntry
from store.audit.audit import AuditStore
from store.orders.orders import OrderStore

router = APIRouter()


@router.post("/orders-batch/export")
async def export(request: Request, user: Annotated[User, Depends(ORDER_READERS)]) -> Response:
    """The chosen columns, the words of the person's language. What they do not see is not in it."""
    wiring, language = wiring_of(request), language_of(request)
    form, asked = await read_form(request), await asked_of_form(request)
    of_ticked = form.get("of") == "ticked"
    chosen = [str(number) for number in form.getlist("chosen")]
    wanted = ticked(user, chosen) if of_ticked else filter_of(asked, user, wiring.now())
    page = await OrderStore(wiring.pool).list(wanted, MOST_EXPORTED)
    columns = read_columns(asked.cols)
    head = [language.say("Order"), *(language.say(column.title) for column in columns), language.say("Currency")]
    rows = [
        [order.order_no, *(text_of(order, column, language) for column in columns), order.currency]
        for order in page.orders
    ]
    detail = {"what": "orders", "rows": len(rows), "query": "" if of_ticked else asked.query}
    entry = AuditEntry(actor=user.id, action="console.exported", detail=detail)
    await AuditStore(wiring.pool).append(entry, wiring.now())
    day = wiring.now().astimezone(CHINA).date()
    return csv_file(f"orders-{day}.csv", head, rows, MOST_EXPORTED if page.next else None)
