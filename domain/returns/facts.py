"""What an application is judged by: the order as the books have it, unit by unit."""

from collections.abc import Iterator
from datetime import date, datetime

from pydantic import AwareDatetime

from domain.order import Id
from domain.returns.models import UnitRange
from domain.shares import UnitShare
from domain.strict import Strict


class ShippedRun(Strict):
    """Units that left in one parcel."""

    child_no: str
    first_unit: int
    units: int
    signed_at: AwareDatetime | None = None
    """None: still on the way, so no window has begun."""


class LineFacts(Strict):
    line_id: Id
    sku: Id
    warehouse: str
    qty: int
    shares: tuple[UnitShare, ...]
    """Frozen at payment; none before."""
    shipped: tuple[ShippedRun, ...] = ()
    stopped: tuple[UnitRange, ...] = ()
    """Units of parcels that were cancelled: neither shipped nor to be shipped."""
    taken: tuple[UnitRange, ...] = ()
    """Units that refunds or open cases hold."""
    left: int
    """Units that no refund and no open case has counted: `qty` less those."""
    applications: int = 0
    """Cases that ever named this line."""
    no_reason: bool = True
    """False: excluded from returns without a reason (fresh, made to measure, unsealed …), as agreed at purchase."""
    warranty_until: date | None = None
    warranty_days: int | None = None
    """Counted from the day after signing."""


class OrderFacts(Strict):
    order_no: str
    buyer_id: str
    currency: str
    paid: bool
    ended: bool
    lines: tuple[LineFacts, ...]
    prior_minor: int = 0
    """Refunds and held money of all other cases of the order: what the cumulative switch adds up."""
    completed_at: AwareDatetime | None = None
    """Receipt confirmed: stands in for a signature that no courier told."""

    def line(self, line_id: str) -> LineFacts | None:
        return next((line for line in self.lines if line.line_id == line_id), None)


def free_shipped(line: LineFacts) -> Iterator[tuple[int, datetime | None]]:
    """Units that left and that nobody holds, from the first one on, each with when its parcel was signed for."""
    held = {unit for r in line.taken for unit in range(r.first_unit, r.end)}
    for run in sorted(line.shipped, key=lambda r: r.first_unit):
        for unit in range(run.first_unit, run.first_unit + run.units):
            if unit not in held:
                yield unit, run.signed_at


def free_unshipped(line: LineFacts) -> Iterator[int]:
    """Units that have not left, may still leave, and that nobody holds, from the first one on."""
    gone = {unit for r in (*line.taken, *line.stopped) for unit in range(r.first_unit, r.end)}
    gone |= {unit for run in line.shipped for unit in range(run.first_unit, run.first_unit + run.units)}
    return (unit for unit in range(line.qty) if unit not in gone)


def runs(line_id: str, units: list[int]) -> tuple[UnitRange, ...]:
    """Unit numbers as ranges of neighbours."""
    found: list[UnitRange] = []
    for unit in sorted(units):
        if found and found[-1].end == unit:
            found[-1] = UnitRange(line_id=line_id, first_unit=found[-1].first_unit, units=found[-1].units + 1)
        else:
            found.append(UnitRange(line_id=line_id, first_unit=unit, units=1))
    return tuple(found)
