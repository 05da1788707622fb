"""The lives of the orders of a month, some hundred at a time, of one snapshot."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from domain.insight.lives import (
    LoggedChild,
    LoggedFact,
    LoggedPackage,
    LoggedPayment,
    LoggedRefund,
    LoggedReturn,
    LoggedStep,
    OrderLife,
)
from domain.insight.periods import Span
from store.pool import Connection, Pool, Row

AT_ONCE = 1_000
LONGEST_S = 60

ORDERS = """
SELECT order_no, channel, kind, currency, payable_minor, placed_at FROM orders
WHERE placed_at >= $1 AND placed_at < $2 ORDER BY placed_at, order_no"""
CHILDREN = """
SELECT order_no, child_no, type, warehouse, carrier, paid_minor, return_no FROM child_orders
WHERE order_no = ANY ($1) ORDER BY order_no, nn"""
PACKAGES = """
SELECT p.child_no, p.carrier, p.waybill_no FROM parcels p JOIN child_orders c USING (child_no)
WHERE c.order_no = ANY ($1) ORDER BY p.child_no, p.created_at, p.waybill_no"""
PAYMENTS = """
SELECT order_no, channel, amount_minor, paid_at FROM payments
WHERE order_no = ANY ($1) ORDER BY order_no, paid_at, key"""
REFUNDS = """
SELECT order_no, refund_no, return_no, amount_minor, requested_at,
    CASE WHEN status = 'SUCCEEDED' THEN updated_at END AS succeeded_at
FROM refunds WHERE order_no = ANY ($1) ORDER BY order_no, requested_at, refund_no"""
RETURNS = """
SELECT order_no, return_no, type, reason, fault, applied_at FROM return_cases
WHERE order_no = ANY ($1) ORDER BY order_no, applied_at, return_no"""
STEPS = """
SELECT t.return_no, t.id, t.at, t.role, t.action, t.to_status FROM return_timeline t
JOIN return_cases c USING (return_no) WHERE c.order_no = ANY ($1) ORDER BY t.return_no, t.at, t.id"""
FACTS = """
SELECT order_no, id, key, kind, source, occurred_at AS at, recorded_at, child_no, from_status, to_status
FROM order_events WHERE order_no = ANY ($1) AND outcome = 'APPLIED' ORDER BY order_no, occurred_at, id"""


class LifeReader:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def placed_in(self, month: Span) -> AsyncIterator[OrderLife]:
        """Orders placed in the month, oldest first, with all that became of them until now."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(f"SET LOCAL statement_timeout = '{LONGEST_S}s'")
            found = await connection.cursor(ORDERS, month.since, month.until)
            while rows := await found.fetch(AT_ONCE):
                for life in await _lives(connection, rows):
                    yield life


async def _lives(connection: Connection, orders: list[Row]) -> list[OrderLife]:
    numbers = [row["order_no"] for row in orders]

    async def read(sql: str) -> list[Row]:
        return await connection.fetch(sql, numbers, timeout=LONGEST_S)

    packages = _by("child_no", await read(PACKAGES))
    steps = _by("return_no", await read(STEPS))
    children, returns = _by("order_no", await read(CHILDREN)), _by("order_no", await read(RETURNS))
    payments, refunds = _by("order_no", await read(PAYMENTS)), _by("order_no", await read(REFUNDS))
    facts = _by("order_no", await read(FACTS))
    return [
        OrderLife(
            **row,
            children=[
                LoggedChild(**c, packages=[LoggedPackage(**p) for p in packages[c["child_no"]]]) for c in children[n]
            ],
            payments=[LoggedPayment(**p) for p in payments[n]],
            refunds=[LoggedRefund(**r) for r in refunds[n]],
            returns=[LoggedReturn(**r, steps=[LoggedStep(**s) for s in steps[r["return_no"]]]) for r in returns[n]],
            facts=[LoggedFact(**f) for f in facts[n]],
        )
        for n, row in zip(numbers, orders, strict=True)
    ]


def _by(key: str, rows: Iterable[Row]) -> Mapping[str, list[dict[str, Any]]]:
    """The other columns of the rows, by this one."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[key]].append({name: value for name, value in row.items() if name != key})
    return found
