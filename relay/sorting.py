"""What is to become of a claimed row, fact by fact, before anything is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from domain.child_axis import can_change
from domain.facts import Fact, Kind
from relay.gather import MOST_FACTS, Part
from store.inbox import Claimed
from store.inbox_targets import Target

MONEY = frozenset({Kind.PAYMENT_SUCCEEDED, Kind.REFUND_SUCCEEDED, Kind.REFUND_ABNORMAL, Kind.REFUND_CLOSED})
"""Always signalled: whether money fits is for the order to say."""
MOVEMENT = frozenset(
    {
        Kind.WAYBILL_RETURNED,
        Kind.COLLECTED,
        Kind.IN_TRANSIT,
        Kind.OUT_FOR_DELIVERY,
        Kind.SIGNED,
        Kind.COURIER_EXCEPTION,
        Kind.DELIVERY_REFUSED,
        Kind.RETURNED_TO_SENDER,
    }
)


class Fate(Enum):
    SIGNAL = "signal"
    STALE = "stale"
    """It cannot move the order any more (decision 0005), or had moved it when another message told it."""
    UNKNOWN = "unknown"
    """Its order is not in the books (yet)."""
    CLOSED = "closed"
    """Its order has ended, but money or goods moved: a person has to look."""


def fate(fact: Fact, target: Target | None) -> Fate:
    if target is None:
        return Fate.UNKNOWN
    if target.applied:
        return Fate.STALE
    moot = target.child_status is not None and not can_change(target.child_status, fact.kind)
    if target.ended:
        return Fate.CLOSED if fact.kind in MONEY or (fact.kind in MOVEMENT and not moot) else Fate.STALE
    return Fate.STALE if moot and fact.kind not in MONEY else Fate.SIGNAL


@dataclass(frozen=True)
class Plan:
    """One row. Facts by fate; those to be signalled as parts, one or more an order."""

    row: Claimed
    parts: tuple[Part, ...]
    stale: tuple[tuple[Fact, Target], ...] = field(default=())
    unknown: tuple[Fact, ...] = field(default=())
    closed: tuple[tuple[Fact, Target], ...] = field(default=())

    @property
    def parks(self) -> bool:
        return bool(self.unknown or self.closed)


def plan(row: Claimed, targets: Mapping[str, Target]) -> Plan:
    """`targets`: by fact key, as `InboxStore.orders_of` gives them."""
    sorted_facts: dict[Fate, list[Fact]] = {f: [] for f in Fate}
    for fact in row.facts:
        sorted_facts[fate(fact, targets.get(fact.key))].append(fact)
    by_order: dict[str, list[Fact]] = {}
    for fact in sorted_facts[Fate.SIGNAL]:
        by_order.setdefault(targets[fact.key].order_no, []).append(fact)
    return Plan(
        row=row,
        parts=tuple(part for order_no, facts in by_order.items() for part in _parts(row, order_no, facts)),
        stale=tuple((fact, targets[fact.key]) for fact in sorted_facts[Fate.STALE]),
        unknown=tuple(sorted_facts[Fate.UNKNOWN]),
        closed=tuple((fact, targets[fact.key]) for fact in sorted_facts[Fate.CLOSED]),
    )


def _parts(row: Claimed, order_no: str, facts: list[Fact]) -> Iterable[Part]:
    for start in range(0, len(facts), MOST_FACTS):
        some = tuple(facts[start : start + MOST_FACTS])
        size = sum(len(fact.model_dump_json()) for fact in some)
        yield Part(row.id, order_no, some, size, row.received_at, row.traceparent)
