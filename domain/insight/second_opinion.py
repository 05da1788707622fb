"""A second opinion on status: what was told of each parcel, told again to the transition tables, must lead to what the
books say. What does not fit has a MISMATCH or a ticket, or it is a defect that nobody has noticed.

The tables are those that orders live by (`domain/fulfilment/parcel_states.py`, `domain/fulfilment/rollup.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from domain.facts import Fact, Kind
from domain.fulfilment.parcel_states import HOLDS, MOVES, RANK, RETURNS, ParcelStateMachine
from domain.fulfilment.rollup import parent_status
from domain.states import ChildStatus, OrderStatus

SKEW = timedelta(minutes=15)
"""So far clocks of couriers and warehouses may differ (policy `clock_skew_s`)."""
LEAVING = frozenset({Kind.WAYBILL_RETURNED, Kind.COLLECTED})
BACK = frozenset({*RETURNS, Kind.COURIER_EXCEPTION})
"""After these it matters what happened last."""
ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
ROAD = frozenset({*RANK[RANK.index(ChildStatus.SHIPPED) :], ChildStatus.EXCEPTION, ChildStatus.REFUSED})


class Misfit(StrEnum):
    """What does not fit."""

    OTHER_STATUS = "other_status"
    """The facts lead to another status of a parcel than the books say."""
    SHIPPED_AND_CANCELLED = "shipped_and_cancelled"
    SIGNED_BEFORE_LEFT = "signed_before_left"
    OTHER_PARENT = "other_parent"
    """The parcels make another status of the order than the books say."""
    UNHEARD = "unheard"
    """A source has said something that nobody has written down."""


class ToldKind(NamedTuple):
    """All that was told of one kind: `first` and `last` are when it happened."""

    kind: Kind
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class ToldParcel:
    child_no: str
    status: ChildStatus
    told: Sequence[ToldKind]


@dataclass(frozen=True, slots=True)
class ToldOrder:
    """`explained`: it has a MISMATCH or a ticket; `unheard`: the nightly comparison found a fact that is not here."""

    order_no: str
    status: OrderStatus
    parcels: Sequence[ToldParcel]
    explained: bool = False
    unheard: bool = False


def misfits(order: ToldOrder) -> tuple[Misfit, ...]:
    """Everything that does not fit, whether or not somebody knows of it."""
    found = [misfit for parcel in order.parcels for misfit in _of_parcel(parcel)]
    if any(p.told for p in order.parcels):
        # Nothing may be told of an order whose parcels nobody has spoken of.
        expected = parent_status(order.status, [parcel.status for parcel in order.parcels])
        if expected is not order.status and any(p.status is not ChildStatus.CANCELLED for p in order.parcels):
            found.append(Misfit.OTHER_PARENT)
    if order.unheard:
        found.append(Misfit.UNHEARD)
    return tuple(dict.fromkeys(found))


def fits(order: ToldOrder) -> bool | None:
    """None: there is nothing to judge by. True: all fits, or somebody knows that it does not."""
    if not order.unheard and not any(parcel.told for parcel in order.parcels):
        return None
    return order.explained or not misfits(order)


def defects(orders: Iterable[ToldOrder]) -> Mapping[str, tuple[Misfit, ...]]:
    """By order: what does not fit and nobody knows of."""
    return {order.order_no: misfits(order) for order in orders if fits(order) is False}


def _of_parcel(parcel: ToldParcel) -> Iterable[Misfit]:
    times = {told.kind: told for told in parcel.told}
    left = [times[kind].first for kind in LEAVING if kind in times]
    if Kind.SIGNED in times and left and times[Kind.SIGNED].last < min(left) - SKEW:
        yield Misfit.SIGNED_BEFORE_LEFT
    replayed = _replayed(parcel.told)
    if parcel.status is ChildStatus.CANCELLED:
        if replayed in ROAD:
            yield Misfit.SHIPPED_AND_CANCELLED
    elif not _same(parcel.status, replayed, times):
        yield Misfit.OTHER_STATUS


def _same(status: ChildStatus, replayed: ChildStatus, times: Mapping[Kind, ToldKind]) -> bool:
    """Holds and interceptions are our own steps, of which facts say nothing: facts wait, or the parcel has not left."""
    if status in HOLDS:
        return True
    if status is ChildStatus.INTERCEPTING:
        return replayed not in ROAD
    if not times:  # nothing was told of it yet
        return status is ChildStatus.RELEASED
    return status is replayed


def _replayed(told: Sequence[ToldKind]) -> ChildStatus:
    """The facts' order does not matter to the table, so the last of each kind is enough. Of two hundred thousand
    parcels nearly all have moved on only: then times do not matter either, and the table is asked once for all alike.
    """
    moving = [one for one in told if one.kind in MOVES or one.kind in BACK]
    if any(one.kind in BACK for one in moving):
        return _led_to(moving)
    return _moved_to(tuple(one.kind for one in moving))


@cache
def _moved_to(kinds: tuple[Kind, ...]) -> ChildStatus:
    return _led_to([ToldKind(kind, ANY_TIME, ANY_TIME) for kind in kinds])


def _led_to(told: Sequence[ToldKind]) -> ChildStatus:
    machine = ParcelStateMachine(ChildStatus.RELEASED)
    for one in told:
        machine.apply(Fact.model_construct(key=one.kind.value, kind=one.kind, source="told", occurred_at=one.last))
    return machine.status
