"""What an address of `/orders` asks for, and that it asks for nothing that does not exist."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException

from console.pages.orders.columns import read_columns
from console.session.user import User
from console.text.catalogue import N_
from domain.states import OrderStatus
from store.console.today import SOON
from store.orders.pages import OrderFilter
from store.pool import clean

LONGEST_SEARCH = 100
ONLY = {
    "attention": N_("Needs a person"),
    "late": N_("Late shipping"),
    "due": N_("To ship within 6 hours"),
    "backorder": N_("Waiting for stock"),
    "held": N_("Parcels held"),
    "exception": N_("Trouble at the courier"),
}
STUCK = frozenset({"EXCEPTION"})


@dataclass(frozen=True)
class AskedOrders:
    """The parts of an address that say which orders, and which columns of them; as texts, '' where it says nothing."""

    q: str = ""
    status: str = ""
    channel: str = ""
    only: str = ""
    cols: str = ""

    @property
    def query(self) -> str:
        """The same filters have the same text."""
        return urlencode({name: value for name, value in vars(self).items() if value})


def read_asked(given: Mapping[str, object]) -> AskedOrders:
    """Of an address or a form; other fields are somebody else's. Raises `HTTPException` for a filter that does not
    exist: the address was written by hand."""
    texts = {name: clean(str(given.get(name) or "").strip()) for name in AskedOrders.__dataclass_fields__}
    asked = AskedOrders(**{**texts, "q": texts["q"][:LONGEST_SEARCH]})
    if (asked.status and asked.status not in set(OrderStatus)) or (asked.only and asked.only not in ONLY):
        raise HTTPException(400)
    read_columns(asked.cols)
    return asked


def read_query(query: str) -> AskedOrders:
    """Of the text that a view was saved as. Raises `HTTPException`."""
    try:
        return read_asked(dict(parse_qsl(query, max_num_fields=20)))
    except ValueError:
        raise HTTPException(400) from None


def filter_of(asked: AskedOrders, user: User, now: datetime) -> OrderFilter:
    wanted = OrderFilter(
        status=asked.status or None, channel=asked.channel or None, search=asked.q or None,
        channels=user.scope.channels, warehouses=user.scope.warehouses,
    )  # fmt: skip
    return narrowed(wanted, asked.only, now)


def narrowed(wanted: OrderFilter, only: str, now: datetime) -> OrderFilter:
    """`only`: of `ONLY`, or ''."""
    to: dict[str, dict[str, Any]] = {
        "attention": {"needs_attention": True},
        "late": {"due_before": now},
        "due": {"due_before": now + SOON},
        "backorder": {"child_statuses": frozenset({"BACKORDER"}), "ended": False},
        "held": {"held": True},
        "exception": {"child_statuses": STUCK, "ended": False},
    }
    return replace(wanted, **to.get(only, {}))
