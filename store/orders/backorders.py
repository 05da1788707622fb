"""Parcels that wait for stock: who they are, who may have what has come in, and how they are told."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from domain.facts import Fact, Kind
from domain.fulfilment.backorders import Place, Served, Waiting, serve
from domain.states import ChildStatus
from store.errors import NoSuchOrder
from store.inbox.inbox import Incoming
from store.pool import Connection, Pool
from store.stock.ledger import apply_moves, lock, reservation

SOURCE = "stock"

# The order of a child that wants its units. The lock makes writes of one order queue.
LOCK = "SELECT 1 FROM orders WHERE order_no = $1 FOR NO KEY UPDATE"

# The status of a child, and whether its units are reserved.
CHILD = """
SELECT c.status, EXISTS (SELECT FROM child_lines l JOIN stock_moves m
    ON m.ref = l.child_no || '/' || l.line_id AND m.kind = 'reserve' WHERE l.child_no = c.child_no) AS reserved
FROM child_orders c WHERE c.order_no = $1 AND c.child_no = $2"""

# What a child needs, by line.
NEEDS = """
SELECT l.line_id, i.sku, c.warehouse, sum(l.qty)::integer AS qty
FROM child_lines l JOIN child_orders c USING (child_no)
JOIN order_lines i ON i.order_no = l.order_no AND i.line_id = l.line_id
WHERE l.child_no = $1 GROUP BY l.line_id, i.sku, c.warehouse, i.pos ORDER BY i.pos"""

# Everybody who waits and has not got anything yet, with all they miss; longest paid first.
QUEUE = """
SELECT c.order_no, c.child_no, i.sku, c.warehouse, sum(l.qty)::int AS qty
FROM child_orders c
JOIN orders o USING (order_no)
JOIN child_lines l USING (child_no)
JOIN order_lines i ON i.order_no = l.order_no AND i.line_id = l.line_id
WHERE c.status = 'BACKORDER' AND o.ended_at IS NULL
    AND NOT EXISTS (SELECT FROM stock_moves m WHERE m.ref = c.child_no || '/' || l.line_id AND m.kind = 'reserve')
GROUP BY o.paid_at, c.order_no, c.child_no, i.sku, c.warehouse
ORDER BY o.paid_at, c.child_no"""

# What lies in some places. Not locked.
AVAILABLE = """
SELECT s.sku, s.warehouse, s.available
FROM stock s JOIN unnest($1::text[], $2::text[]) AS u (sku, warehouse) USING (sku, warehouse)"""


class BackorderStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def servable(self) -> tuple[Waiting, ...]:
        """Who could have everything they miss now, longest paid first."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            queue = await _queue(connection)
            return serve(queue, await _available(connection, queue, {})).children


async def allocate(connection: Connection, order_no: str, child_no: str) -> bool:
    """Inside a transaction: reserve every unit of a waiting child, or none. True again if it has been done.

    False as well when the goods are there but somebody who paid earlier can have them.
    """
    if await connection.fetchrow(LOCK, order_no) is None:
        raise NoSuchOrder(order_no)
    child = await connection.fetchrow(CHILD, order_no, child_no)
    if child is None:
        raise NoSuchOrder(child_no)
    if child["reserved"] or child["status"] != ChildStatus.BACKORDER:
        return bool(child["reserved"])
    rows = await connection.fetch(NEEDS, child_no)
    locked = await lock(connection, ((row["sku"], row["warehouse"]) for row in rows))
    served = await _serve(connection, locked)
    if child_no not in {waiting.child_no for waiting in served.children}:
        return False
    await apply_moves(
        connection,
        [reservation(child_no, row["line_id"], row["sku"], row["warehouse"], row["qty"]) for row in rows],
    )
    return True


async def after_claims(connection: Connection, locked: Mapping[Place, int]) -> Mapping[Place, int]:
    """What is left of locked balances once everybody who waits already, and can be served, has taken theirs."""
    served = await _serve(connection, locked)
    return {place: served.left[place] for place in locked}


def announcement(waiting: Waiting, ref: str, cause: str, now: datetime) -> Incoming:
    """A message that goods have come in for a parcel. The same `ref` and `cause` tell it once."""
    key = f"stock:{waiting.child_no}:{ref}:{cause}"
    fact = Fact(
        key=key,
        kind=Kind.STOCK_ARRIVED,
        source=SOURCE,
        occurred_at=now,
        order_no=waiting.order_no,
        child_no=waiting.child_no,
        note=ref,
    )
    # The body must not hold the time: the same announcement made again is a repeat, not a contradiction.
    body = json.dumps({"ref": ref, "sku": cause, "child_no": waiting.child_no}, sort_keys=True).encode()
    return Incoming(SOURCE, key, fact.kind, hashlib.sha256(body).digest(), body, (fact,), now, via="query")


async def _serve(connection: Connection, locked: Mapping[Place, int]) -> Served:
    queue = await _queue(connection)
    return serve(queue, await _available(connection, queue, locked))


async def _queue(connection: Connection) -> tuple[Waiting, ...]:
    needs: dict[str, dict[Place, int]] = {}
    orders: dict[str, str] = {}
    for row in await connection.fetch(QUEUE):
        orders[row["child_no"]] = row["order_no"]
        needs.setdefault(row["child_no"], {})[row["sku"], row["warehouse"]] = row["qty"]
    return tuple(Waiting(order_no, child_no, needs[child_no]) for child_no, order_no in orders.items())


async def _available(
    connection: Connection, queue: tuple[Waiting, ...], locked: Mapping[Place, int]
) -> dict[Place, int]:
    """Locked balances as they are, the others as they were a moment ago: good enough to know who comes first."""
    others = sorted({place for waiting in queue for place in waiting.needs} - set(locked))
    found = dict(locked)
    if others:
        rows = await connection.fetch(AVAILABLE, [sku for sku, _ in others], [place for _, place in others])
        found |= {(row["sku"], row["warehouse"]): row["available"] for row in rows}
    return found
