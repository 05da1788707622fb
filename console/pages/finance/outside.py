"""`/finance/money/{n}`: money that moved without us: what it is, what it may count as, asked for and booked."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.pages.acting import ActRefused, field, insist_on_order, message, minor_of
from console.pages.finance import booking
from console.pages.rendering import render
from console.security.access import Needs
from console.security.forms import read_form
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.authority import AUTHORITY
from domain.access.desk import AskAboutMoney
from domain.refunds.outside import ANSWERS, BookAs
from store.approvals.approvals import ApprovalStore
from store.console.order_page import OrderPageStore
from store.outside_money.booking import BookingRefused, FoundMoney, OutsideMoneyStore

router = APIRouter()
BOOKERS = Needs(*AUTHORITY["desk.do: book_outside_money"].roles)
UNITS = "units:"
DONE = {
    "asked": N_("Finance is asked: somebody else decides, then it is booked here."),
    "waits": N_("Nobody has decided yet."),
    "rejected": N_("It was rejected: ask otherwise, or leave it."),
    "booked": N_("It is booked."),
}


@router.get("/finance/money/{number}")
async def money(request: Request, user: Annotated[User, Depends(BOOKERS)], number: str, said: str = "") -> Response:
    return await _page(request, user, await _found(request, user, number), said=DONE.get(said, ""))


@router.post("/finance/money/{number}/ask")
async def ask(request: Request, user: Annotated[User, Depends(BOOKERS)], number: str) -> Response:
    found = await _found(request, user, number)
    form = await read_form(request)
    try:
        book_as = await field(request, "book_as")
        if book_as not in ANSWERS[found.money.kind]:
            raise ActRefused(422, language_of(request).word("content", "book_as"))
        amount = await field(request, "amount")
        work = message(
            request, AskAboutMoney, money_no=found.money_no, book_as=BookAs(book_as),
            evidence=await field(request, "evidence"),
            amount_minor=minor_of(request, amount, found.money.currency or "CNY") if amount else None,
            units=_units(form),
        )  # fmt: skip
    except ActRefused as why:
        return await _page(request, user, found, RefusedAct("InvalidWork", why.said))
    came = await tried(booking.at_desk(user, work))
    if isinstance(came, RefusedAct):
        return await _page(request, user, found, came)
    return RedirectResponse(f"/finance/money/{found.money_no}?said=asked", 303)


@router.post("/finance/money/{number}/book")
async def book(request: Request, user: Annotated[User, Depends(BOOKERS)], number: str) -> Response:
    """What finance has approved; of a payment its order goes on with it."""
    found = await _found(request, user, number)

    came = await tried(booking.book(user, found.money_no, found.order_no))
    if isinstance(came, RefusedAct):
        return await _page(request, user, found, came)
    return RedirectResponse(f"/finance/money/{found.money_no}?said={came}", 303)


async def _found(request: Request, user: User, number: str) -> FoundMoney:
    """Raises `HTTPException`; `NotForYou` for another shop's."""
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 19):
        raise HTTPException(404)
    try:
        found = await OutsideMoneyStore(wiring_of(request).pool).get(int(number))
    except BookingRefused:
        raise HTTPException(404) from None
    await insist_on_order(request, user, found.order_no)
    return found


async def _page(
    request: Request, user: User, found: FoundMoney, refusal: RefusedAct | None = None, said: str = ""
) -> Response:
    pool, form = wiring_of(request).pool, await read_form(request) if request.method == "POST" else {}
    asked = await ApprovalStore(pool).list(state=None, subject=f"money/{found.money_no}")
    content = await OrderPageStore(pool).page(found.order_no, user.scope)
    return render(
        request, "finance/outside.html", user, status=refusal.status if refusal else 200, found=found, refusal=refusal,
        said=said, answers=ANSWERS[found.money.kind], question=asked[-1] if asked else None, units=UNITS,
        lines=content.detail.lines if content else (), given={k: v for k, v in form.items() if isinstance(v, str)},
    )  # fmt: skip


def _units(form: FormData) -> dict[str, int]:
    """By line, of the fields that say a number."""
    said = {name.removeprefix(UNITS): str(value).strip() for name, value in form.items() if name.startswith(UNITS)}
    return {line: int(n) for line, n in said.items() if n.isascii() and n.isdigit() and len(n) < 8 and int(n)}
