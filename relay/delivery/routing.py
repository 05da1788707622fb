"""What is to become of a claimed row, fact by fact, before anything is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.facts import Fact
from domain.inbox.event_routing import Disposition, Target, fate
from relay.delivery.coalescing import MOST_FACTS, SignalPart
from store.inbox.inbox import Claimed


@dataclass(frozen=True)
class RoutingPlan:
    """One row. Facts by fate; those to be signalled as parts, one or more an order."""

    row: Claimed
    parts: tuple[SignalPart, ...]
    stale: tuple[tuple[Fact, Target], ...] = field(default=())
    unknown: tuple[Fact, ...] = field(default=())
    closed: tuple[tuple[Fact, Target], ...] = field(default=())

    @property
    def parks(self) -> bool:
        return bool(self.unknown or self.closed)


_LOUDEST_FIRST = (Disposition.SIGNAL, Disposition.CLOSED, Disposition.STALE)


def plan(row: Claimed, targets: Mapping[str, tuple[Target, ...]]) -> RoutingPlan:
    """`targets`: by fact key, as `InboxStore.orders_of` gives them. A scan of a package is told once to everybody whose
    children it carries."""
    placed: dict[Disposition, list[tuple[Fact, Target]]] = {d: [] for d in _LOUDEST_FIRST}
    unknown = tuple(fact for fact in row.facts if not targets.get(fact.key))
    for fact in row.facts:
        for target in _listeners(fact, targets.get(fact.key, ())):
            placed[fate(fact, target)].append((fact, target))
    by_order: dict[str, list[Fact]] = {}
    for fact, target in placed[Disposition.SIGNAL]:
        by_order.setdefault(target.listener, []).append(fact)
    return RoutingPlan(
        row=row,
        parts=tuple(part for order_no, facts in by_order.items() for part in _parts(row, order_no, facts)),
        stale=tuple(placed[Disposition.STALE]),
        unknown=unknown,
        closed=tuple(placed[Disposition.CLOSED]),
    )


def _listeners(fact: Fact, targets: tuple[Target, ...]) -> Iterable[Target]:
    """Of several children of one order, the one that the fact still moves: the order itself knows the others."""
    best: dict[str, Target] = {}
    for target in sorted(targets, key=lambda t: _LOUDEST_FIRST.index(fate(fact, t))):
        best.setdefault(target.listener, target)
    return best.values()


def _parts(row: Claimed, order_no: str, facts: list[Fact]) -> Iterable[SignalPart]:
    for start in range(0, len(facts), MOST_FACTS):
        some = tuple(facts[start : start + MOST_FACTS])
        size = sum(len(fact.model_dump_json()) for fact in some)
        yield SignalPart(row.id, order_no, some, size, row.received_at, row.traceparent)
