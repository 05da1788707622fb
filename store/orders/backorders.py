"""Parcels that wait for stock: who they are, who may have what has come in, and how they are told."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from domain.facts import Fact, Kind
from domain.fulfilment.backorders import Place, Waiting, serve
from domain.states import ChildStatus
from store.errors import NoSuchOrder
from store.inbox.inbox import Incoming
from store.orders.backorder_queue import anywhere, around
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


class BackorderStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def servable(self) -> tuple[Waiting, ...]:
        """Who could have everything they miss now, longest paid first."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            return serve(*await anywhere(connection)).children


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
    served = serve(*await around(connection, locked))
    if child_no not in {waiting.child_no for waiting in served.children}:
        return False
    await apply_moves(
        connection,
        [reservation(child_no, row["line_id"], row["sku"], row["warehouse"], row["qty"]) for row in rows],
    )
    return True


async def after_claims(connection: Connection, locked: Mapping[Place, int]) -> Mapping[Place, int]:
    """What is left of locked balances once everybody who waits already, and can be served, has taken theirs."""
    served = serve(*await around(connection, locked))
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
