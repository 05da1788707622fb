"""What a parcel can become, and what its parcels make of an order: found by walking the functions that decide it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from typing import NamedTuple

from domain.facts import Fact, Kind
from domain.fulfilment.parcel_states import HOLDS, MOVES, RANK, ParcelStateMachine
from domain.fulfilment.rollup import OWN, parent_status
from domain.states import ChildStatus, OrderStatus

C = ChildStatus
HELD_UP = (C.BACKORDER, C.CUSTOMS_HOLD)
IN_WAREHOUSE = (C.RELEASED, C.PICKING, C.PACKED)
ON_THE_ROAD = (C.SHIPPED, C.IN_TRANSIT, C.OUT_FOR_DELIVERY)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Step = Callable[[ParcelStateMachine], object]


class Edge(NamedTuple):
    before: str
    after: str
    label: str


OWN_STEPS: tuple[tuple[str, Callable[[ParcelStateMachine], bool], Step], ...] = (
    ("stock reserved", lambda m: m.status is C.BACKORDER, ParcelStateMachine.release),
    ("stock reserved, customs asked", lambda m: m.status is C.BACKORDER, ParcelStateMachine.hold_for_customs),
    ("released by customs", lambda m: m.status is C.CUSTOMS_HOLD and m.cleared, ParcelStateMachine.release),
    ("interception asked", lambda m: m.status in IN_WAREHOUSE, ParcelStateMachine.intercept),
    ("interception off", lambda m: m.status is C.INTERCEPTING, ParcelStateMachine.resume),
    ("cancelled", lambda m: not (m.shipped or m.is_cancelled), ParcelStateMachine.cancel),
)
"""What we do to a parcel ourselves, and when (`workflows/order/parcels/`)."""


@cache
def parcel_edges() -> set[Edge]:
    """Every step of a parcel, without those that only skip stages, or hear again of a stage that is past."""
    edges = all_parcel_edges()
    return {edge for edge in edges if not _skips(edge, edges) and _is_news(edge)}


@cache
def all_parcel_edges() -> set[Edge]:
    """Every step of a parcel, facts in the order in which they happened."""
    starts = [ParcelStateMachine(status) for status in (*HELD_UP, C.RELEASED)]
    edges: set[Edge] = set()
    known, waiting = set(), starts
    while waiting:
        machine = waiting.pop()
        if (state := _state(machine)) in known:
            continue
        known.add(state)
        for label, moved in _next(machine):
            if moved.status is not machine.status:
                edges.add(Edge(machine.status, moved.status, label))
            waiting.append(moved)
    return edges


def _next(machine: ParcelStateMachine) -> Iterator[tuple[str, ParcelStateMachine]]:
    """Everything that may happen next. Facts that are only held move nothing now: the state machine keeps them."""
    for label, possible, step in OWN_STEPS:
        if possible(machine):
            moved = replace(machine, seen=set(), held=[])
            step(moved)
            yield label, moved
    at = max((t for t in _times(machine) if t is not None), default=NOON) + timedelta(hours=1)
    for kind in Kind:
        moved = replace(machine, seen=set(), held=[])
        moved.apply(Fact(key=f"{kind}:{at.isoformat()}", kind=kind, source="walk", occurred_at=at, child_no="X-01"))
        if not moved.held:
            yield kind.value, moved


def _times(machine: ParcelStateMachine) -> tuple[datetime | None, ...]:
    return (machine.moved_at, machine.exception_at, machine.signed_at, machine.returned_at)


def _state(m: ParcelStateMachine) -> tuple[object, ...]:
    """What decides how it goes on: of times only which comes after which."""
    times = _times(m)
    ranks = tuple(sorted({t for t in times if t is not None}).index(t) if t is not None else None for t in times)
    return (m.start, m.released, m.reached, ranks, m.intercepting, m.is_cancelled, m.cleared, m.customs_refusal)


def _is_news(edge: Edge) -> bool:
    return edge.label not in MOVES or MOVES[Kind(edge.label)] == edge.after


def _skips(edge: Edge, edges: set[Edge]) -> bool:
    """A movement that jumps over a stage through which it could have gone as well."""
    by = {(e.before, e.after) for e in edges if e.label in MOVES}
    return (
        edge.label in MOVES
        and edge.before != C.EXCEPTION
        and any(
            stage not in (edge.before, edge.after) and (edge.before, stage) in by and (stage, edge.after) in by
            for stage in RANK[: RANK.index(ChildStatus(edge.after))]
        )
    )


@cache
def rolled_up() -> set[Edge]:
    """What parcels make of their order: every step of one of two, and every parcel that is added to one or two."""
    statuses = [*HELD_UP, *IN_WAREHOUSE, *ON_THE_ROAD, C.SIGNED, C.INTERCEPTING, C.CANCELLED, C.EXCEPTION, C.REFUSED]
    steps = {(ChildStatus(e.before), ChildStatus(e.after)) for e in parcel_edges()}
    edges = {
        _parent((before, other), (after, other), _what(after)) for before, after in steps for other in statuses
    } | {
        _parent(there, (*there, new), "goods from elsewhere")
        for there in product(statuses, repeat=2)
        for new in (*HOLDS & set(statuses), C.RELEASED)
    }
    return {edge for edge in edges if edge.before != edge.after and edge.before not in OWN}


def _parent(before: tuple[ChildStatus, ...], after: tuple[ChildStatus, ...], label: str) -> Edge:
    own = OrderStatus.AWAITING_SHIPMENT  # any status that children lead: they alone decide
    return Edge(parent_status(own, before), parent_status(own, after), label)


def _what(after: ChildStatus) -> str:
    named = {C.CANCELLED: "a parcel is cancelled", C.REFUSED: "a parcel comes back", C.SIGNED: "a parcel is signed for"}
    return named.get(after, "a parcel leaves")
