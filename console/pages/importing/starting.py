"""Orders of a file, started in the name of who sent it: each whole or not at all, each with what became of it."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import ORDER_STARTERS
from console.pages.importing.bad_rows import as_link
from console.pages.importing.checking import check
from console.pages.importing.page import SHOWN, choices_of
from console.pages.problems import problem
from console.pages.rendering import render
from console.pages.uploads import uploaded
from console.session.user import User
from console.text.language import language_of
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.records import AuditEntry
from starter.clients.desk import DeskClient
from starter.clients.orders import OrderClient
from starter.importer.report import Ready
from starter.importer.table import UnableToImport
from store.audit.audit import AuditStore

router = APIRouter()
AT_ONCE = 8
"""Starts under way at the same time, as `oms order import` has them."""
MOST_NUMBER = 10**9
MOST_ORDERS = 500
"""Of one file in the page: about a minute."""


@dataclass(frozen=True)
class StartedOrder:
    """What became of one of the file. `told`: of its payment, where it is paid already; `refusal`: of whichever was
    refused."""

    ready: Ready
    state: Literal["started", "known", "refused"]
    refusal: RefusedAct | None = None
    told: Literal["", "asked", "refused"] = ""

    @property
    def went_in(self) -> bool:
        return "refused" not in (self.state, self.told)


@router.post("/import/orders/start")
async def start(request: Request, user: Annotated[User, Depends(ORDER_STARTERS)]) -> Response:
    """Shown as the answer and not by 303: what became of each is kept nowhere. Sent again, no order starts twice."""
    async with uploaded(request) as path:
        if path is None:
            return problem(request, 422, "", user)
        try:
            base, choices = await choices_of(request, path)
            checked = await asyncio.to_thread(check, path, choices)
        except UnableToImport as why:
            return problem(request, 422, str(why), user)
        if checked.report is None or len(checked.orders) > MOST_ORDERS:
            return problem(request, 422, "; ".join(checked.lacking) or f"{len(checked.orders)} > {MOST_ORDERS}", user)
        clients = await tried(_clients(user))
        if isinstance(clients, RefusedAct):
            return problem(request, clients.status, clients.reason, user)
        results = await _started(*clients, user, checked.orders)
        refused = {
            row: one.refusal.reason for one in results if one.refusal and not one.went_in for row in one.ready.rows
        }
        bad = await asyncio.to_thread(as_link, path, checked, language_of(request), refused)
    counts: Counter[str] = Counter(one.state for one in results)
    told: Counter[str] = Counter(one.told for one in results if one.told)
    said = {f"payments_{state}": n for state, n in told.items()}
    entry = AuditEntry(
        actor=user.id, action="console.imported",
        detail={**counts, **said, "rows": checked.report.rows, "mapping": base},
    )  # fmt: skip
    await AuditStore(wiring_of(request).pool).append(entry, wiring_of(request).now())
    return render(
        request, "importing/done.html", user, results=results, report=checked.report, bad=bad, shown=SHOWN,
        counts=counts, told=told,
    )  # fmt: skip


async def _clients(user: User) -> tuple[OrderClient, DeskClient]:
    return await user.orders(), await user.desk()


async def _started(client: OrderClient, desk: DeskClient, user: User, orders: Sequence[Ready]) -> list[StartedOrder]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(ready: Ready) -> StartedOrder:
        channels = user.scope.channels
        if channels is not None and ready.order.channel not in channels:
            return StartedOrder(ready, "refused", RefusedAct("OUT_OF_SCOPE", ready.order.channel))
        async with gate:
            came = await tried(client.start(ready.order))
            state: Literal["started", "known"] = "started"
            if isinstance(came, RefusedAct):
                if came.code != "DuplicateOrder":
                    return StartedOrder(ready, "refused", came)
                state = "known"
            if ready.paid is None:
                return StartedOrder(ready, state, came if isinstance(came, RefusedAct) else None)
            # Of one that was there, too: the file sent again goes on with what its first sending did not come to.
            told = await tried(desk.do(ready.paid, 1 + secrets.randbelow(MOST_NUMBER), user.id))
        if isinstance(told, RefusedAct):
            return StartedOrder(ready, state, told, "refused")
        return StartedOrder(ready, state, told="asked")

    return list(await asyncio.gather(*map(one, orders)))
