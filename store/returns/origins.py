"""What returned units physically are: which article, out of which warehouse, exchanges counted."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from domain.returns.models import Origin
from domain.units import UnitRange, pieces_without
from store.pool import Connection

# What of these lines left in parcels (what was short, or missing in the end, are a parcel's last units).
LEFT = """
SELECT * FROM (
    SELECT l.line_id, l.first_unit, m.sku, m.warehouse,
        least(l.qty, greatest(0, m.qty - sum(l.lost_units) OVER p - (sum(l.qty) OVER w - l.qty)))::int AS units
    FROM child_lines l JOIN stock_moves m ON m.ref = l.child_no || '/' || l.line_id AND m.kind = 'ship'
    WHERE l.order_no = $1 AND l.line_id = ANY($2::text[])
    WINDOW p AS (PARTITION BY l.child_no, l.line_id), w AS (p ORDER BY l.first_unit)) parcels
WHERE units > 0 ORDER BY line_id, first_unit"""

# What went out instead of these lines, by finished exchanges, the latest last.
EXCHANGED = """
SELECT k.line_id, k.first_unit, k.units, m.sku, m.warehouse
FROM return_cases c JOIN unit_claims k ON k.holder = c.return_no
JOIN stock_moves m ON m.ref = c.return_no || '/X/' || k.line_id AND m.kind = 'ship'
WHERE c.order_no = $1 AND k.line_id = ANY($2::text[]) AND c.status = 'EXCHANGED' AND c.return_no <> $3
ORDER BY c.applied_at, c.return_no"""


async def origins(
    connection: Connection, order_no: str, units: Sequence[UnitRange], but_of: str = ""
) -> tuple[Origin, ...]:
    """Of those of the units that have left, in their order. `but_of`: a case whose own exchange does not count."""
    known: dict[str, list[Origin]] = defaultdict(list)
    lines = sorted({wanted.line_id for wanted in units})
    left = await connection.fetch(LEFT, order_no, lines)
    for row in [*left, *await connection.fetch(EXCHANGED, order_no, lines, but_of)]:
        newer = Origin(**row)
        known[newer.line_id] = [*pieces_without(known[newer.line_id], [newer]), newer]
    return tuple(part for wanted in units for part in _parts(wanted, known[wanted.line_id]))


def _parts(wanted: UnitRange, known: Iterable[Origin]) -> Iterable[Origin]:
    for old in sorted(known, key=lambda o: o.first_unit):
        first, end = max(old.first_unit, wanted.first_unit), min(old.end, wanted.end)
        if first < end:
            yield old.model_copy(update={"first_unit": first, "units": end - first})
