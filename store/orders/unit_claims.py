"""Which units exactly an order gives back by itself, so that no return takes them a second time."""

from collections.abc import Sequence

from asyncpg.exceptions import ExclusionViolationError

from domain.records import RefundRecord
from domain.units import UnitRange
from store.errors import RefundExceedsUnits, UnitsPaidBack
from store.pool import Connection

# The units of certain parcels; of one that is refunded in part, the last ones (a short pick takes those) before those
# that earlier refunds of the order itself have taken (a case takes the units that it names, wherever they lie). Where
# they do not suffice, the units of another holder are in the way.
CLAIM_PARCELS = """
INSERT INTO unit_claims (order_no, line_id, first_unit, units, holder)
SELECT order_no, line_id, greatest(first_unit, first_unit + qty - taken - units), units, $2 FROM (
    SELECT l.order_no, l.line_id, l.first_unit, l.qty,
        coalesce((SELECT sum(c.units)::int FROM unit_claims c JOIN refunds r ON r.refund_no = c.holder
            WHERE c.order_no = l.order_no AND c.line_id = l.line_id AND c.held AND r.return_no IS NULL
                AND c.first_unit >= l.first_unit AND c.first_unit < l.first_unit + l.qty), 0) AS taken,
        least(l.qty, greatest(0, u.qty - (sum(l.qty) OVER w - l.qty)))::int AS units
    FROM unnest($3::text[], $4::int[]) AS u (line_id, qty)
    JOIN child_lines l ON l.order_no = $1 AND l.line_id = u.line_id AND l.child_no = ANY ($5::text[])
    WINDOW w AS (PARTITION BY l.line_id ORDER BY l.first_unit DESC)) parcels
WHERE units > 0
RETURNING units"""

# Lines that are refunded as a whole: there is no choice.
CLAIM_LINES = """
INSERT INTO unit_claims (order_no, line_id, first_unit, units, holder)
SELECT l.order_no, l.line_id, 0, l.qty, $2
FROM unnest($3::text[], $4::int[]) AS u (line_id, qty)
JOIN order_lines l ON l.order_no = $1 AND l.line_id = u.line_id AND l.qty = u.qty"""


# Units that somebody has been paid back for: a holder that is no case is a refund.
PAID_BACK = """
SELECT u.line_id FROM unnest($2::text[], $3::int[], $4::int[]) AS u (line_id, first_unit, units)
JOIN unit_claims k ON k.held AND k.order_no = $1 AND k.line_id = u.line_id
    AND int4range(k.first_unit, k.first_unit + k.units) && int4range(u.first_unit, u.first_unit + u.units)
WHERE NOT EXISTS (SELECT FROM return_cases c WHERE c.return_no = k.holder)
LIMIT 1"""


async def insist_on_not_paid_back(
    connection: Connection, order_no: str, child_no: str, runs: Sequence[UnitRange]
) -> None:
    """Inside a transaction that has locked the order. A child that is still to ship holds no unit that a refund has.

    Raises `UnitsPaidBack`.
    """
    lines, firsts, counts = [r.line_id for r in runs], [r.first_unit for r in runs], [r.units for r in runs]
    if line_id := await connection.fetchval(PAID_BACK, order_no, lines, firsts, counts):
        raise UnitsPaidBack(child_no, line_id)


async def claim_units(connection: Connection, order_no: str, refund: RefundRecord) -> None:
    """Inside a transaction, beside the counters (`store/orders/payments.py`), which hold even where it is left
    open which units.

    Raises `RefundExceedsUnits` for a unit that a case or another refund has, or that other children ship by now.
    """
    if not refund.units:
        return
    lines, counts = list(refund.units), list(refund.units.values())
    try:
        if refund.children:
            numbers = list(refund.children)
            claimed = await connection.fetch(CLAIM_PARCELS, order_no, refund.refund_no, lines, counts, numbers)
            if sum(row["units"] for row in claimed) < sum(counts):
                raise RefundExceedsUnits(order_no, refund.refund_no, ", ".join(sorted(lines)))
        else:
            await connection.execute(CLAIM_LINES, order_no, refund.refund_no, lines, counts)
    except ExclusionViolationError:
        raise RefundExceedsUnits(order_no, refund.refund_no, ", ".join(sorted(lines))) from None
