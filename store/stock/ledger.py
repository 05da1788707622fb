"""The stock ledger: balances per SKU and warehouse, and the moves that explain them. A move happens once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg.exceptions import CheckViolationError

from domain.records import StockMove
from store.errors import ReceiptChanged, StockWouldGoNegative
from store.orders.query_plans import replan_statements
from store.pool import Connection, Pool

# Lock balances in one order everywhere, so that two orders with the same goods queue instead of blocking each other.
LOCK = """
SELECT s.sku, s.warehouse, s.available
FROM stock s JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[])) AS u (sku, warehouse) USING (sku, warehouse)
ORDER BY s.sku, s.warehouse FOR NO KEY UPDATE OF s"""

# Book the moves that are new, and change the balances by exactly those. Units that all came back meanwhile had left
# after all: they are not booked back.
APPLY = """
WITH given AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
        WITH ORDINALITY AS u (ref, kind, sku, warehouse, qty, pos)
), new AS (
    INSERT INTO stock_moves (ref, kind, sku, warehouse, qty, at)
    SELECT u.ref, u.kind, u.sku, u.warehouse, u.qty, coalesce($6::timestamptz, now()) FROM given u
    WHERE u.kind <> 'unship' OR u.qty <= (
        SELECT s.shipped + coalesce(sum(g.qty) FILTER (WHERE g.kind = 'ship'), 0) FROM stock s
        LEFT JOIN given g USING (sku, warehouse) WHERE s.sku = u.sku AND s.warehouse = u.warehouse GROUP BY s.shipped)
    ORDER BY u.pos
    ON CONFLICT DO NOTHING
    RETURNING kind, sku, warehouse, qty
), change AS (
    SELECT sku, warehouse,
        sum(CASE WHEN kind IN ('receive', 'release', 'grade_good') THEN qty WHEN kind IN ('reserve', 'shrink') THEN -qty
            ELSE 0 END) AS available,
        sum(CASE WHEN kind = 'reserve' THEN qty WHEN kind IN ('release', 'ship', 'write_off') THEN -qty ELSE 0 END)
            AS reserved,
        sum(CASE WHEN kind IN ('ship', 'unfreeze') THEN qty WHEN kind IN ('unship', 'freeze') THEN -qty ELSE 0 END)
            AS shipped,
        sum(CASE WHEN kind = 'freeze' THEN qty
            WHEN kind IN ('unfreeze', 'grade_good', 'grade_minor', 'grade_scrap') THEN -qty ELSE 0 END) AS frozen,
        sum(CASE WHEN kind = 'grade_minor' THEN qty ELSE 0 END) AS second_hand,
        sum(CASE WHEN kind IN ('unship', 'write_off', 'shrink', 'grade_scrap') THEN qty ELSE 0 END) AS scrapped
    FROM new GROUP BY sku, warehouse
)
UPDATE stock s SET available = s.available + c.available, reserved = s.reserved + c.reserved,
    shipped = s.shipped + c.shipped, frozen = s.frozen + c.frozen, second_hand = s.second_hand + c.second_hand,
    scrapped = s.scrapped + c.scrapped
FROM change c WHERE s.sku = c.sku AND s.warehouse = c.warehouse"""

# A balance of nothing, so that goods can be received where there were none.
OPEN = "INSERT INTO stock (sku, warehouse) VALUES ($1, $2) ON CONFLICT DO NOTHING"

# Whether a receipt has been booked.
RECEIVED = "SELECT qty FROM stock_moves WHERE ref = $1 AND kind = 'receive' AND sku = $2 AND warehouse = $3"

# Balances, all or of one SKU or warehouse.
SHOW = """
SELECT sku, warehouse, available, reserved, shipped, frozen, second_hand, scrapped FROM stock
WHERE ($1::text IS NULL OR sku = $1) AND ($2::text IS NULL OR warehouse = $2)
    AND ($4::text[] IS NULL OR warehouse = ANY ($4)) AND (sku, warehouse) > ($5, $6)
ORDER BY sku, warehouse LIMIT $3"""

# Children that wait for a SKU in a warehouse and have not got it yet, longest paid first.
WAITING = """
SELECT c.order_no, c.child_no, l.qty, o.paid_at
FROM child_orders c
JOIN orders o USING (order_no)
JOIN child_lines l USING (child_no)
JOIN order_lines i ON i.order_no = l.order_no AND i.line_id = l.line_id
WHERE c.status = 'BACKORDER' AND o.ended_at IS NULL AND i.sku = $1 AND c.warehouse = $2
    AND NOT EXISTS (SELECT FROM stock_moves m WHERE m.ref = c.child_no || '/' || l.line_id AND m.kind = 'reserve')
ORDER BY o.paid_at, c.child_no"""


@dataclass(frozen=True)
class StockBalance:
    """Units of one SKU in one warehouse."""

    sku: str
    warehouse: str
    available: int
    reserved: int
    shipped: int
    frozen: int
    second_hand: int
    scrapped: int


@dataclass(frozen=True)
class WaitingChild:
    """A backordered child; `qty` units of the SKU asked for are missing on one of its lines."""

    order_no: str
    child_no: str
    qty: int
    paid_at: datetime | None


class StockStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def receive(self, sku: str, warehouse: str, qty: int, ref: str) -> bool:
        """Goods have come in. `ref` names the receipt: the same one counts once (then False). `qty` at least 1.

        Raises `ReceiptChanged` if the receipt was booked with another quantity.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(OPEN, sku, warehouse)
            await lock(connection, [(sku, warehouse)])
            known = await connection.fetchval(RECEIVED, ref, sku, warehouse)
            if known is not None and known != qty:
                raise ReceiptChanged(ref, sku, warehouse, known)
            move = StockMove(ref=ref, kind="receive", sku=sku, warehouse=warehouse, qty=qty)
            await apply_moves(connection, [move])
            return known is None

    async def show(
        self,
        sku: str | None = None,
        warehouse: str | None = None,
        limit: int = 1000,
        *,
        seen: frozenset[str] | None = None,
        after: tuple[str, str] = ("", ""),
    ) -> tuple[StockBalance, ...]:
        """Balances in order of SKU and warehouse. `seen`: warehouses that the reader sees; None: all."""
        among = None if seen is None else sorted(seen)
        return tuple(StockBalance(**r) for r in await self._pool.fetch(SHOW, sku, warehouse, limit, among, *after))

    async def waiting_backorders(self, sku: str, warehouse: str) -> tuple[WaitingChild, ...]:
        """Who is to be told that goods have come in: longest paid first."""
        return tuple(WaitingChild(**row) for row in await self._pool.fetch(WAITING, sku, warehouse))


async def lock(connection: Connection, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Locks balances by (SKU, warehouse) until the transaction ends. Returns what is available; absent: never any."""
    wanted = sorted(set(places))
    rows = await connection.fetch(LOCK, [sku for sku, _ in wanted], [warehouse for _, warehouse in wanted])
    return {(row["sku"], row["warehouse"]): row["available"] for row in rows}


async def apply_moves(connection: Connection, moves: Sequence[StockMove], at: datetime | None = None) -> None:
    """Books moves inside a transaction; those booked before (same ref, kind, SKU, warehouse) do nothing.

    Raises `StockWouldGoNegative`; the transaction is then over.
    """
    if not moves:
        return
    places = {(m.sku, m.warehouse) for m in moves}
    missing = places - set(await lock(connection, places))
    if missing:
        raise StockWouldGoNegative(f"no stock was ever received for {sorted(missing)}")
    await replan_statements(connection, len(moves))  # each move that ships counts in its order's line, by a trigger
    try:
        await connection.execute(
            APPLY,
            [m.ref for m in moves],
            [m.kind for m in moves],
            [m.sku for m in moves],
            [m.warehouse for m in moves],
            [m.qty for m in moves],
            at,
        )
    except CheckViolationError as error:
        raise StockWouldGoNegative(error.detail or str(error)) from error


def reservation(child_no: str, line_id: str, sku: str, warehouse: str, qty: int) -> StockMove:
    """The reservation of a child's units. `{child_no}/{line_id}` is also the ref of what later becomes of them."""
    return StockMove(ref=f"{child_no}/{line_id}", kind="reserve", sku=sku, warehouse=warehouse, qty=qty)
