"""Units and money that a case holds of its order: one atomic statement each way, guarded by CHECKs and exclusion."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from asyncpg.exceptions import CheckViolationError, ExclusionViolationError

from domain.units import UnitRange, per_line
from store.errors import OrderRefused
from store.pool import Connection

# Units of all lines at once: the CHECKs on the rows, not a sum read before, are what holds against ten at once.
HOLD_UNITS = """
UPDATE order_lines l SET returning_units = l.returning_units + u.qty, applications = l.applications + $4,
    goods_back_units = l.goods_back_units + CASE WHEN $5 THEN u.qty ELSE 0 END
FROM unnest($2::text[], $3::int[]) AS u (line_id, qty) WHERE l.order_no = $1 AND l.line_id = u.line_id"""

# The money that the case can pay at most.
HOLD_MONEY = "UPDATE orders SET returning_minor = returning_minor + $2 WHERE order_no = $1"

# Which units exactly. No unit has two holders: an exclusion constraint.
CLAIM = """
INSERT INTO unit_claims (order_no, line_id, first_unit, units, holder)
SELECT $1, u.line_id, u.first_unit, u.units, $2
FROM unnest($3::text[], $4::int[], $5::int[]) AS u (line_id, first_unit, units)"""

# The units that a holder has now.
CLAIMED = "SELECT line_id, first_unit, units FROM unit_claims WHERE holder = $1 AND held ORDER BY line_id, first_unit"

# They are anybody's again.
LET_GO = "UPDATE unit_claims SET held = false WHERE holder = $1 AND held"

# Held units become refunded ones, or free: `kept` of the `had` stay with the refund.
SETTLE_UNITS = """
UPDATE order_lines l SET returning_units = l.returning_units - u.had, refunded_units = l.refunded_units + u.kept,
    goods_back_units = l.goods_back_units - CASE WHEN $5 THEN u.had - u.kept ELSE 0 END
FROM unnest($2::text[], $3::int[], $4::int[]) AS u (line_id, had, kept)
WHERE l.order_no = $1 AND l.line_id = u.line_id"""

# Held money becomes a refund's, or free.
SETTLE_MONEY = """
UPDATE orders SET returning_minor = returning_minor - $2, refund_reserved_minor = refund_reserved_minor + $3
WHERE order_no = $1"""


class NotEnoughLeft(OrderRefused):
    """Somebody else has the units or the money: the database refused, whatever was read before."""


@dataclass(frozen=True)
class Claim:
    """What one case wants of its order."""

    order_no: str
    holder: str
    units: Sequence[UnitRange]
    held_minor: int
    goods_come_back: bool
    counts_as_application: bool = True


async def hold(connection: Connection, claim: Claim) -> None:
    """Inside a transaction, with the order's row locked. Raises `NotEnoughLeft`; the transaction is then over."""
    by_line = per_line(claim.units)
    lines, quantities = list(by_line), list(by_line.values())
    try:
        await connection.execute(
            HOLD_UNITS, claim.order_no, lines, quantities, int(claim.counts_as_application), claim.goods_come_back
        )
        await connection.execute(HOLD_MONEY, claim.order_no, claim.held_minor)
        await take(connection, claim.order_no, claim.holder, claim.units)
    except (CheckViolationError, ExclusionViolationError) as error:
        raise NotEnoughLeft(
            f"order {claim.order_no}: units or money of {claim.holder} are held or refunded already "
            f"({error.constraint_name}); nothing was held"
        ) from None


async def take(connection: Connection, order_no: str, holder: str, units: Sequence[UnitRange]) -> None:
    """Raises asyncpg's `ExclusionViolationError` for a unit that somebody holds."""
    await connection.execute(
        CLAIM,
        order_no,
        holder,
        [r.line_id for r in units],
        [r.first_unit for r in units],
        [r.units for r in units],
    )


async def claimed(connection: Connection, holder: str) -> tuple[UnitRange, ...]:
    return tuple(UnitRange(**row) for row in await connection.fetch(CLAIMED, holder))


async def settle(
    connection: Connection,
    claim: Claim,
    kept: Sequence[UnitRange] = (),
    *,
    kept_by: str = "",
    refund_minor: int = 0,
) -> None:
    """The case lets go of everything it has but `kept`, which goes over to the refund `kept_by` for good."""
    had, stays = per_line(claim.units), per_line(kept)
    await connection.execute(LET_GO, claim.holder)
    if kept:
        await take(connection, claim.order_no, kept_by, kept)
    await connection.execute(
        SETTLE_UNITS,
        claim.order_no,
        list(had),
        list(had.values()),
        [stays.get(line, 0) for line in had],
        claim.goods_come_back,
    )
    await connection.execute(SETTLE_MONEY, claim.order_no, claim.held_minor, refund_minor)


def is_part_of(units: Sequence[UnitRange], whole: Sequence[UnitRange]) -> bool:
    """Whether every unit stands in `whole`, and none twice."""
    spans = sorted((r.line_id, r.first_unit, r.end) for r in units)
    if any(a[0] == b[0] and b[1] < a[2] for a, b in pairwise(spans)):
        return False
    by_line: dict[str, list[UnitRange]] = {}
    for r in whole:
        by_line.setdefault(r.line_id, []).append(r)
    return all(any(w.first_unit <= first and end <= w.end for w in by_line.get(line, ())) for line, first, end in spans)
