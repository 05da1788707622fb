"""Three books of one order, compared: what its sources say, what its workflow says, what our tables say (R65)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from domain.facts import Fact, Kind
from domain.fulfilment.parcel_states import can_change
from domain.states import ChildStatus, RefundStatus

SHANGHAI = timezone(timedelta(hours=8))
SHOWN = ("status", "payment_status", "paid_minor", "refunded_minor")
"""What the tables and the workflow's own view both tell."""


@dataclass(frozen=True)
class BooksSnapshot:
    """One order as the tables have it. `known`: keys of facts written down; amounts in minor units."""

    order_no: str
    status: str
    payment_status: str
    paid_minor: int
    refunded_minor: int
    ended: bool
    children: Mapping[str, ChildStatus]
    payments: Mapping[str, int]
    """Amounts by fact key."""
    refunds: Mapping[str, RefundStatus]
    known: frozenset[str]


@dataclass(frozen=True)
class Drift:
    """`expected`: as the other side says; `found`: as the tables say. `number`: of what they disagree about."""

    order_no: str
    kind: str
    number: str
    expected: str
    found: str


def against_source(
    books: BooksSnapshot, kind: str, number: str, child_no: str | None, told: Iterable[Fact]
) -> list[Drift]:
    """`kind`: payment, refund, outbound or parcel; `told`: everything that its source says about it."""
    facts = tuple(told)

    def drift(expected: str, found: str) -> Drift:
        return Drift(books.order_no, kind, number, expected, found)

    status = books.children.get(child_no or "")
    standing = status.value if status is not None else books.payment_status
    missing = [drift(f.key, standing) for f in facts if f.key not in books.known and _matters(f, status)]
    if kind == "payment":
        return missing + [drift(*pair) for pair in _money(books, facts)]
    if kind == "refund":
        succeeded = any(f.kind is Kind.REFUND_SUCCEEDED for f in facts)
        if books.refunds.get(number) is RefundStatus.SUCCEEDED and not succeeded:
            missing.append(drift("not paid back", "SUCCEEDED"))
    return missing


def _matters(fact: Fact, status: ChildStatus | None) -> bool:
    return status is None or (status is not ChildStatus.CANCELLED and can_change(status, fact.kind))


def _money(books: BooksSnapshot, facts: Iterable[Fact]) -> Iterator[tuple[str, str]]:
    captured = {f.key: f.amount_minor for f in facts if f.kind is Kind.PAYMENT_SUCCEEDED}
    for key, amount in books.payments.items():
        if key not in captured:
            yield f"no payment {key}", f"{amount} paid"
        elif captured[key] != amount:
            yield f"{captured[key]} paid by {key}", f"{amount} paid"


def against_view(books: BooksSnapshot, view: Mapping[str, Any] | None) -> list[Drift]:
    """`view`: the workflow's answer to the query `view`, as JSON; None: no workflow is running."""
    no = books.order_no
    if books.ended:
        return []
    if view is None:
        return [Drift(no, "workflow", no, "a running workflow", f"{books.status}, not ended")]
    pairs = [(no, f"{name} {view[name]}", f"{name} {getattr(books, name)}") for name in SHOWN]
    shown = {child["child_no"]: child["status"] for child in view["children"]}
    for child_no in sorted({*shown, *books.children}):
        pairs.append((child_no, shown.get(child_no, "absent"), books.children.get(child_no, "absent")))
    return [Drift(no, "view", number, str(a), str(b)) for number, a, b in pairs if str(a) != str(b)]


def next_run(now: datetime, hour: int, minute: int) -> datetime:
    """The next `hour:minute` in Shanghai after `now`."""
    today = now.astimezone(SHANGHAI).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def day_before(now: datetime) -> datetime:
    """Midnight in Shanghai at which yesterday began."""
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)
