"""What is to become of a claimed row, fact by fact, before anything is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.facts import Fact
from domain.fate import Fate, Target, fate
from relay.gather import MOST_FACTS, Part
from store.inbox import Claimed


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
        by_order.setdefault(targets[fact.key].listener, []).append(fact)
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
