"""Single messages: what came, what became of it, and delivering it once more, forecast first (R06)."""

from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.navigation import CALLBACK_READERS
from console.pages.rendering import render
from console.security.access import Needs
from console.security.forms import read_form
from console.session.user import User
from console.text.language import language_of
from console.wiring import wiring_of
from domain.approvals import Role
from store.console.callbacks import CallbackPages
from store.inbox.replaying import WAITING, InboxReplays, Selection, effects
from store.pool import clean

router = APIRouter()
A_PAGE = 40
AT_ONCE = 500
STATES = (
    "received", "delivered", "applied", "held", "stale", "duplicate", "mismatch", "parked", "dead", "kept",
    "conflicting",
)  # fmt: skip
REPLAYERS = Needs(Role.ORDER_OPS)


@router.get("/callbacks/messages")
async def messages(
    request: Request,
    user: Annotated[User, Depends(CALLBACK_READERS)],
    state: str = "",
    source: str = "",
    order: str = "",
    after: str = "",
    said: str = "",
) -> Response:
    language = language_of(request)
    if (state and state not in STATES) or (after and not _is_number(after)) or (said and not _is_number(said)):
        raise HTTPException(400)
    page = await CallbackPages(wiring_of(request).pool).messages(
        user.scope, A_PAGE, state=state or None, source=clean(source) or None, order_no=clean(order.strip()) or None,
        before=int(after) if after else None,
    )  # fmt: skip
    return render(
        request, "callbacks/messages.html", user, page=page, said=int(said) if said else None,
        states=[(value, language.word("message state", value)) for value in STATES],
        may_replay=user.holds(*REPLAYERS.roles) and (state in WAITING) and page.messages,
    )  # fmt: skip


@router.get("/callbacks/messages/{message_id}")
async def message(
    request: Request, user: Annotated[User, Depends(CALLBACK_READERS)], message_id: str, said: str = ""
) -> Response:
    pages = CallbackPages(wiring_of(request).pool)
    found = await pages.message(user.scope, int(message_id)) if _is_number(message_id) else None
    if found is None:
        raise HTTPException(404)
    previews = await InboxReplays(wiring_of(request).pool).preview([found.id])
    return render(
        request, "callbacks/message.html", user, message=found, preview=previews[0] if previews else None,
        outcomes=await pages.outcomes(found), may_replay=user.holds(*REPLAYERS.roles) and found.state != "kept",
        said=said == "again",
    )  # fmt: skip


@router.post("/callbacks/messages/{message_id}/replay")
async def again(request: Request, user: Annotated[User, Depends(REPLAYERS)], message_id: str) -> Response:
    wiring = wiring_of(request)
    found = None
    if _is_number(message_id):
        found = await CallbackPages(wiring.pool).message(user.scope, int(message_id))
    if found is None:
        raise HTTPException(404)
    await InboxReplays(wiring.pool).replay([found.id], user.id, wiring.now())
    return RedirectResponse(f"/callbacks/messages/{found.id}?said=again", 303)


@router.get("/callbacks/replay")
async def forecast(
    request: Request, user: Annotated[User, Depends(REPLAYERS)], state: str = "", source: str = ""
) -> Response:
    """What delivering them once more would do, as the books stand; nothing is done."""
    ids = await _chosen(request, user, state, source)
    previews = await InboxReplays(wiring_of(request).pool).preview(ids)
    counted = Counter(effect for preview in previews for effect in effects(preview))
    return render(
        request, "callbacks/replay.html", user, previews=previews[:A_PAGE], n=len(previews), counted=counted,
        state=state, source=source, ids=" ".join(map(str, ids)), full=len(ids) == AT_ONCE,
    )  # fmt: skip


@router.post("/callbacks/replay")
async def replay(request: Request, user: Annotated[User, Depends(REPLAYERS)]) -> Response:
    """Exactly those that were forecast, as far as they still wait."""
    form: Any = await read_form(request)
    state, source = str(form.get("state") or ""), str(form.get("source") or "")
    shown = {int(n) for n in str(form.get("ids") or "").split() if _is_number(n)}
    wiring = wiring_of(request)
    ids = [n for n in await _chosen(request, user, state, source) if n in shown]
    done = await InboxReplays(wiring.pool).replay(ids, user.id, wiring.now()) if ids else 0
    query = {name: value for name, value in (("state", state), ("source", source), ("said", str(done))) if value}
    return RedirectResponse(f"/callbacks/messages?{urlencode(query)}", 303)


async def _chosen(request: Request, user: User, state: str, source: str) -> list[int]:
    """Of the shops that they see; the oldest first."""
    if state not in WAITING:
        raise HTTPException(400)
    pool = wiring_of(request).pool
    wanted = Selection(states=(state,), source=clean(source) or None)
    ids = await InboxReplays(pool).select(wanted, AT_ONCE)
    if user.scope.channels is None and user.scope.warehouses is None:
        return ids
    pages = CallbackPages(pool)
    return [n for n in ids if await pages.message(user.scope, n) is not None]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
