"""`oms return apply` without a file: an application out of options, or out of answers on a terminal."""

import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from domain.returns.enums import REASONS, Fault, Reason, ReturnType
from domain.returns.models import Actor, ApplyReturn
from starter.cli import language, output
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, several
from starter.cli.options import actor, order_number
from starter.cli.returns.return_evidence import add_for_application
from starter.cli.text import SHANGHAI, money
from starter.text.marking import N_
from store.orders.detail import OrderDetail
from store.orders.orders import OrderStore
from store.returns.evidence import EvidenceStore

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without letters that are read as digits."""


@dataclass(frozen=True)
class Wish:
    """What the options say. `units`: by line, as `L1=2`; `buyer`: who applies is the buyer, not customer service."""

    order: str | None
    units: Sequence[str] = ()
    lines: Sequence[str] = ()
    quantity: int | None = None
    kind: ReturnType | None = None
    reason: Reason | None = None
    fault: Fault | None = None
    words: str | None = None
    photos: Sequence[Path] = ()
    by: str | None = None
    buyer: bool = False

    @property
    def is_empty(self) -> bool:
        return self.order is None


async def application_of(wish: Wish) -> ApplyReturn:
    """With a number of its own, its pictures stored under it. Raises `BadInput`, `CommandFailed`, `Forbidden`."""
    asking = wish.is_empty
    if asking and not sys.stdin.isatty():
        raise BadInput("say what goes back: a FILE, or --order NO with --unit L1=1, --type and --reason.")
    number = order_number((wish.order or _asked("Order number")).strip())
    async with database() as pool:
        order = await OrderStore(pool).view(number)
        if order is None:
            raise CommandFailed(f"there is no order {number!r}; look with `oms order list`.")
        if asking:
            _show_lines(order)
        lines = _units(wish, order, asking)
        types = {kind: language.called("return_type", kind) for kind in ReturnType}
        kind = wish.kind or ReturnType(_chosen("What is wanted", types, asking))
        reason = wish.reason or Reason(_chosen("Why", {reason: _why(reason) for reason in Reason}, asking))
        words = wish.words or (_asked("In the buyer's words (may be empty)", "") if asking else "") or None
        photos = wish.photos or (_paths(_asked("Pictures (files, with spaces between)", "")) if asking else ())
        who = _actor(wish, await EvidenceStore(pool).buyer_of(number))
        return_no = new_number(datetime.now(UTC))
        fault = wish.fault or (Fault.SELLER if REASONS[reason].quality else Fault.NONE)
        evidence = await add_for_application(pool, return_no, number, photos, who)
        try:
            return ApplyReturn(
                return_no=return_no, order_no=number, type=kind, channel="oms", actor=who, lines=lines, reason=reason,
                fault=fault, description=words, evidence=evidence,
            )  # fmt: skip
        except ValidationError as e:
            faults = "\n".join(str(error["msg"]) for error in e.errors())
            raise BadInput(f"this cannot be applied for: {several(faults)}.") from None


def new_number(now: datetime) -> str:
    """`RT` with the day in Shanghai and eight letters and digits by chance."""
    return f"RT{now.astimezone(SHANGHAI):%y%m%d}" + "".join(secrets.choice(ALPHABET) for _ in range(8))


def _actor(wish: Wish, buyer: str | None) -> Actor:
    """Customer service for the order's buyer, unless it is the buyer who says so."""
    who = actor(wish.by)
    return Actor(kind="buyer", id=who) if wish.buyer else Actor(kind="cs_agent", id=who, on_behalf_of=buyer)


def _units(wish: Wish, order: OrderDetail, asking: bool) -> dict[str, int]:
    """Units by line. Raises `BadInput`."""
    known = {str(line["line_id"]): int(line["qty"]) for line in order.lines}
    if wish.units:
        return dict(_unit(text, known) for text in wish.units)
    if wish.lines:
        return {_line(line, known): wish.quantity or 1 for line in wish.lines}
    if len(known) == 1:
        (line,) = known
        return {line: wish.quantity or (int(_number("How many units", 1)) if asking else 1)}
    if not asking:
        raise BadInput(f"the order has several lines; say which with --unit LINE=UNITS: {_some(known)}.")
    found: dict[str, int] = {}
    for line in _asked("Which lines (with spaces between)").split():
        found[_line(line, known)] = _number(f"How many units of {line}", 1)
    return found


def _unit(text: str, known: Mapping[str, int]) -> tuple[str, int]:
    line, _, units = text.replace(":", "=").replace("×", "=").partition("=")
    if (units and not units.isascii()) or (units and not units.isdigit()):
        raise BadInput(f"--unit {text!r} is no line with its units; write it as L1=2.")
    return _line(line, known), int(units or 1)


def _line(line: str, known: Mapping[str, int]) -> str:
    if line not in known:
        raise BadInput(f"the order has no line {line!r}; it has {_some(known)}.")
    return line


def _some(known: Mapping[str, int]) -> str:
    return ", ".join(f"{line}={units}" for line, units in list(known.items())[:10])


def _show_lines(order: OrderDetail) -> None:
    rows = [
        (at["line_id"], at["sku"], at["name"], at["qty"], money(at["paid_minor"], order.order.currency))
        for at in order.lines
    ]
    output.table("Lines", ("line", "sku", "name", "units", "paid"), rows)


def _why(reason: Reason) -> str:
    text = REASONS[reason]
    return text.zh if language.is_chinese() else text.en


def _chosen(question: str, choices: Mapping[Any, str], asking: bool) -> str:
    """By its number in the list, or by its own word. Raises `BadInput`."""
    if not asking:
        raise BadInput(f"an application says --type and --reason; one is missing: {', '.join(choices)}.")
    every = list(choices)
    output.table(question, ("number", "what"), [(n, choices[choice]) for n, choice in enumerate(every, 1)])
    while True:
        said = _asked("Number").strip()
        if said in choices:
            return said
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(every):
            return str(every[int(said) - 1])


def _number(question: str, default: int) -> int:
    return int(typer.prompt(language.say(question), default=default, type=int))


def _asked(question: str, default: str | None = None) -> str:
    return str(typer.prompt(language.say(N_(question)), default=default, show_default=bool(default)))


def _paths(said: str) -> tuple[Path, ...]:
    return tuple(Path(one) for one in said.split())
