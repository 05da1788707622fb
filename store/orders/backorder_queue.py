"""Who waits for goods at some places, and whoever those share other places with; nobody else is read."""

from collections.abc import Collection, Mapping

from domain.fulfilment.backorders import Place, Waiting
from store.pool import Connection

# Places at which somebody waits and something lies.
SOMETHING_THERE = """
SELECT DISTINCT s.sku, s.warehouse, s.available FROM waiting_children w JOIN stock s USING (sku, warehouse)
WHERE s.available > 0"""

# Who waits at some places and has not got anything yet, with all they miss.
AT_PLACES = """
SELECT c.order_no, c.child_no, o.paid_at, i.sku, c.warehouse, sum(l.qty)::int AS qty
FROM child_orders c
JOIN orders o USING (order_no)
JOIN child_lines l USING (child_no)
JOIN order_lines i ON i.order_no = l.order_no AND i.line_id = l.line_id
WHERE c.child_no IN (
        SELECT w.child_no FROM unnest($1::text[], $2::text[]) AS u (sku, warehouse)
        JOIN waiting_children w USING (sku, warehouse))
    AND c.status = 'BACKORDER' AND o.ended_at IS NULL
    AND NOT EXISTS (SELECT FROM stock_moves m WHERE m.ref = c.child_no || '/' || l.line_id AND m.kind = 'reserve')
GROUP BY c.order_no, c.child_no, o.paid_at, i.sku, c.warehouse"""

# What lies in some places. Not locked.
AVAILABLE = """
SELECT s.sku, s.warehouse, s.available
FROM stock s JOIN unnest($1::text[], $2::text[]) AS u (sku, warehouse) USING (sku, warehouse)"""


async def anywhere(connection: Connection) -> tuple[tuple[Waiting, ...], dict[Place, int]]:
    """As `around`, of all places where something lies."""
    rows = await connection.fetch(SOMETHING_THERE)
    return await around(connection, {(row["sku"], row["warehouse"]): row["available"] for row in rows})


async def around(connection: Connection, balances: Mapping[Place, int]) -> tuple[tuple[Waiting, ...], dict[Place, int]]:
    """Whoever waits, misses something at a place of `balances`, and could be served if nobody else were; and whoever
    shares a further place with them, and so on. Longest paid first, with what lies at all their places: `balances` as
    they are given (locked), the others as they were a moment ago, good enough to know who comes first.

    Who misses more than lies there gets nothing whoever comes first, and takes nothing away from anybody.
    """
    available = dict(balances)
    found: dict[str, tuple[object, Waiting]] = {}
    seen: set[Place] = set()
    while fresh := {place for place, units in available.items() if units > 0} - seen:
        seen |= fresh
        waiting = await _at(connection, fresh)
        further = {place for _, one in waiting.values() for place in one.needs} - set(available)
        lies = await _available(connection, further)
        possible = {
            number: (paid_at, one)
            for number, (paid_at, one) in waiting.items()
            if all((available | lies)[place] >= units for place, units in one.needs.items())
        }
        found |= possible
        wanted = {place for _, one in possible.values() for place in one.needs}
        available |= {place: units for place, units in lies.items() if place in wanted}
    order = sorted(found, key=lambda number: (found[number][0], number))
    return tuple(found[number][1] for number in order), available


async def _at(connection: Connection, places: Collection[Place]) -> dict[str, tuple[object, Waiting]]:
    needs: dict[str, dict[Place, int]] = {}
    orders: dict[str, tuple[object, str]] = {}
    for row in await connection.fetch(AT_PLACES, *_columns(places)):
        orders[row["child_no"]] = row["paid_at"], row["order_no"]
        needs.setdefault(row["child_no"], {})[row["sku"], row["warehouse"]] = row["qty"]
    return {number: (paid_at, Waiting(of, number, needs[number])) for number, (paid_at, of) in orders.items()}


async def _available(connection: Connection, places: Collection[Place]) -> dict[Place, int]:
    """Of places that nobody has heard of, nothing."""
    if not places:
        return {}
    rows = await connection.fetch(AVAILABLE, *_columns(places))
    return dict.fromkeys(places, 0) | {(row["sku"], row["warehouse"]): row["available"] for row in rows}


def _columns(places: Collection[Place]) -> tuple[list[str], list[str]]:
    listed = sorted(places)
    return [sku for sku, _ in listed], [warehouse for _, warehouse in listed]
