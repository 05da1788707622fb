"""What pages that do something share: fields of forms, messages made of them, and refusals in words."""

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, TypeVar

from babel.numbers import get_currency_precision
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from config.sources import UnableToConfigure
from console.pages.problems import problem
from console.security.access import refuse
from console.security.forms import read_form
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from starter.clients.errors import CommandRefused, NoAnswer, OrderError, Unreachable
from starter.clients.exchange import NoProof
from starter.clients.return_errors import NoSuchReturn, ReturnExists, StepRefused
from starter.clients.returns import ReturnClient
from starter.text.words.states import STATES
from store.console.scopes import sees_order

T = TypeVar("T")


class ActsOnReturns(Protocol):
    """A person of ours, or a buyer with a link."""

    async def returns(self) -> ReturnClient: ...


STATUS: dict[type[Exception], int] = {
    NoAnswer: 504, StepRefused: 409, CommandRefused: 403, NoSuchReturn: 404, ReturnExists: 409,
}  # fmt: skip


class ActRefused(Exception):
    """An act that was not done. `status` and `said`, in words, for the page that answers."""

    def __init__(self, status: int, said: str, code: str = "") -> None:
        self.status, self.said, self.code = status, said, code
        super().__init__(said)

    def page(self, request: Request, user: User | None) -> Response:
        return problem(request, self.status, self.said, user)


async def insist_on_order(request: Request, user: User, order_no: str) -> None:
    """Raises `NotForYou` for another shop's order, `HTTPException` for none."""
    if await sees_order(wiring_of(request).pool, order_no, user.scope):
        return
    if user.scope.channels is None and user.scope.warehouses is None:
        raise HTTPException(404)
    await refuse(request, user, "OUT_OF_SCOPE")


async def return_act(request: Request, user: ActsOnReturns, act: Callable[[ReturnClient], Awaitable[T]]) -> T:
    """What the case answers. Raises `ActRefused`; `starter.clients.return_errors.ReturnRefused` goes through."""
    language = language_of(request)
    try:
        return await act(await user.returns())
    except (NoProof, Unreachable, UnableToConfigure) as why:
        code = "NO_PROOF" if isinstance(why, NoProof) else "UNREACHABLE"
        raise ActRefused(503, language.word("refusal", code), code) from None
    except (CommandRefused, StepRefused, NoAnswer, NoSuchReturn, ReturnExists) as why:
        raise ActRefused(STATUS[type(why)], refusal_text(request, why), str(getattr(why, "type", ""))) from None


def refusal_text(request: Request, why: OrderError) -> str:
    """By its code, with what the workflow said of it; what has no words of its own as it is."""
    code, reason = str(getattr(why, "type", "")), str(getattr(why, "reason", why))
    if code not in STATES["refusal"]:
        return reason
    said = language_of(request).word("refusal", code)
    return f"{said} ({reason})" if code in ("NotNow", "NOT_LEFT") else said


async def field(request: Request, name: str) -> str:
    value = (await read_form(request)).get(name)
    return value.strip() if isinstance(value, str) else ""


def message(request: Request, kind: type[T], **fields: Any) -> T:
    """Raises `ActRefused` naming what is not filled in as it has to be."""
    try:
        return kind(**fields)
    except ValidationError as why:
        language = language_of(request)
        names = sorted({language.word("content", e["loc"][0]) for e in why.errors(include_input=False) if e["loc"]})
        raise ActRefused(422, "、".join(names)) from None


def minor_of(request: Request, text: str, currency: str) -> int:
    """Of an amount as people write it. Raises `ActRefused`."""
    try:
        scaled = Decimal(text.replace(",", "")).scaleb(get_currency_precision(currency))
    except InvalidOperation:
        raise ActRefused(422, language_of(request).say(N_("The amount is no number."))) from None
    if not scaled.is_finite() or scaled < 0 or scaled != scaled.to_integral_value() or scaled > 10**12:
        raise ActRefused(422, language_of(request).say(N_("The amount is no whole number of fen.")))
    return int(scaled)
