"""The columns that a list of orders can have: on the page and in the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from babel.numbers import get_currency_precision
from starlette.exceptions import HTTPException

from console.text.catalogue import N_
from console.text.language import CHINA, PageLanguage
from store.orders.pages import OrderSummary

Kind = Literal["order", "payment", "waits", "money", "time", "text"]


@dataclass(frozen=True)
class OrderColumn:
    """`name`: of the attribute of `OrderSummary`, too. `kind`: how it is shown."""

    name: str
    title: str
    kind: Kind


COLUMNS = (
    OrderColumn("status", N_("State"), "order"),
    OrderColumn("waiting_for", N_("Waits for"), "waits"),
    OrderColumn("payment_status", N_("Payment"), "payment"),
    OrderColumn("payable_minor", N_("Payable"), "money"),
    OrderColumn("placed_at", N_("Placed"), "time"),
    OrderColumn("channel", N_("Channel"), "text"),
    OrderColumn("channel_order_no", N_("Channel's number"), "text"),
    OrderColumn("buyer_id", N_("Buyer"), "text"),
    OrderColumn("paid_minor", N_("Paid"), "money"),
    OrderColumn("paid_at", N_("Paid at"), "time"),
    OrderColumn("refunded_minor", N_("Paid back"), "money"),
    OrderColumn("dispatch_by", N_("To leave by"), "time"),
    OrderColumn("updated_at", N_("Last change"), "time"),
    OrderColumn("ended_at", N_("Ended"), "time"),
)
USUAL = 5
"""So many of them, the first, where nobody has chosen."""
BETWEEN = "."


def read_columns(chosen: str) -> tuple[OrderColumn, ...]:
    """Of an address; '' are the usual ones. Raises `HTTPException` for a column that does not exist."""
    if not chosen:
        return COLUMNS[:USUAL]
    names = chosen.split(BETWEEN)
    if not set(names) <= {column.name for column in COLUMNS}:
        raise HTTPException(400)
    return tuple(column for column in COLUMNS if column.name in names)


def write_columns(names: Sequence[str]) -> str:
    """For an address: '' for the usual ones."""
    kept = [column.name for column in COLUMNS if column.name in names]
    usual = [column.name for column in COLUMNS[:USUAL]]
    return "" if kept in ([], usual) else BETWEEN.join(kept)


def text_of(order: OrderSummary, column: OrderColumn, language: PageLanguage) -> object:
    """For a file: states in words, amounts as decimal numbers, times with their zone."""
    value = getattr(order, column.name)
    if isinstance(value, datetime):
        return value.astimezone(CHINA).isoformat(timespec="seconds")
    match column.kind:
        case "order" | "payment":
            return language.word(column.kind, value)
        case "waits":
            return language.waits(value)
        case "money":
            return Decimal(value).scaleb(-get_currency_precision(order.currency))
    return "" if value is None else value
