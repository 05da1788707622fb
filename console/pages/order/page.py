"""`/orders/{order_no}`: one order with everything that belongs to it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import ORDER_READERS
from console.pages.order.acts import DONE
from console.pages.order.choices import choices_of
from console.pages.order.story import told
from console.pages.rendering import render
from console.session.user import User
from console.text.language import language_of
from console.wiring import Wiring, wiring_of
from domain.fulfilment.explanation_text import change, matched, reason, turned_down
from store.console.order_page import OrderPageStore
from store.dispatch.deadlines import DispatchStore
from store.dispatch.holds import HoldRow
from store.orders.pages import OrderSummary
from store.orders.plans import KeptPlan, PlanStore
from store.pool import clean
from workflows.messages import order_workflow_id

router = APIRouter()
LONGEST_NUMBER = 64


@router.get("/orders/{order_no}")
async def order(
    request: Request, user: Annotated[User, Depends(ORDER_READERS)], order_no: str, raw: str = "", said: str = ""
) -> Response:
    """By the number of a child or of a waybill, too. `raw`: every event as it came."""
    wiring, number = wiring_of(request), clean(order_no)[:LONGEST_NUMBER]
    content = await OrderPageStore(wiring.pool).page(number, user.scope)
    if content is None:
        raise HTTPException(404)
    found = content.detail.order.order_no
    if found != number:
        return RedirectResponse(f"/orders/{found}", 303)
    web_ui, kept = wiring.settings.temporal_ui_url, await PlanStore(wiring.pool).explanation(found)
    return render(
        request, "order.html", user, content=content, order=content.detail.order, detail=content.detail,
        story=told(content.timeline, raw=bool(raw)), raw=bool(raw), choices=choices_of(content, user), said=said,
        splits=_splits(request, kept), planned_at=kept.planned_at if kept else None,
        late=await _waiting(wiring, content.detail.order), done=DONE, factors=_factors(request, content.detail.holds),
        seconds_left=_seconds_left(content.detail.holds, wiring.now()),
        names={line["line_id"]: line["name"] or line["sku"] for line in content.detail.lines},
        web_ui=f"{web_ui}/namespaces/default/workflows/{order_workflow_id(found)}" if web_ui else None,
    )  # fmt: skip


@dataclass(frozen=True)
class WaitingToLeave:
    """`hours_left`: whole ones until what was promised, negative when it is late. `why`: what keeps it."""

    hours_left: int
    why: str


async def _waiting(wiring: Wiring, order: OrderSummary) -> WaitingToLeave | None:
    """None: nothing was promised, or nothing waits to leave."""
    why = (await DispatchStore(wiring.pool).why_waiting([order.order_no])).get(order.order_no)
    if why is None or order.dispatch_by is None:
        return None
    return WaitingToLeave(math.floor((order.dispatch_by - wiring.now()).total_seconds() / 3600), why)


def _seconds_left(holds: Iterable[HoldRow], now: datetime) -> dict[str, int]:
    """Until holds end by themselves, by number."""
    return {h.hold_id: max(int((h.ends_at - now).total_seconds()), 0) for h in holds if h.ends_at is not None}


def _factors(request: Request, holds: Iterable[HoldRow]) -> dict[str, str]:
    """What gave the order points, in words."""
    n = 0 if language_of(request).code == "zh" else 1
    return {f.feature: f.words[n] for hold in holds if hold.risk is not None for f in hold.risk.factors}


def _splits(request: Request, kept: KeptPlan | None) -> list[tuple[str, list[str], list[str], list[str]]]:
    """Of each child of the split: why it is one, what else there was, what would have made it one less; in words."""
    if kept is None:
        return []
    n = 0 if language_of(request).code == "zh" else 1
    return [
        (
            child.child_no,
            [words[n] for words in (*map(reason, child.reasons), *matched(kept.explanation, child.child_no))],
            [turned_down(one)[n] for one in child.rejected],
            [change(one)[n] for one in child.nearest],
        )
        for child in kept.explanation.children
    ]
