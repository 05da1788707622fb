"""How far an installation has come, from its books: nothing is asked of anybody outside, and no key is looked at."""

from collections.abc import Mapping
from typing import Any

from store.console.scopes import seen_by
from store.console.sessions import PersonScope
from store.pool import Pool, Row

LOOK = """
SELECT (SELECT count(DISTINCT r.person_id) FROM person_roles r JOIN people p USING (person_id)
        WHERE r.role = 'ADMIN' AND p.active) AS administrators,
    (SELECT count(DISTINCT r.role) FROM person_roles r JOIN people p USING (person_id)
        WHERE r.role IN ('CS_SUPERVISOR', 'FINANCE', 'ORDER_OPS', 'WAREHOUSE') AND p.active) AS roles,
    (SELECT count(*) FROM skus) AS skus, (SELECT count(*) FROM stock WHERE available > 0) AS stocked,
    (SELECT coalesce(max(version), 0) FROM policies) AS policy,
    (SELECT coalesce(max(version), 0) FROM business_books WHERE kind = 'automations') AS automations,
    (SELECT coalesce(max(version), 0) FROM business_books WHERE kind = 'forms') AS forms,
    (WITH RECURSIVE heard AS (
        (SELECT source FROM inbox ORDER BY source LIMIT 1)
        UNION ALL
        SELECT (SELECT i.source FROM inbox i WHERE i.source > h.source ORDER BY i.source LIMIT 1)
        FROM heard h WHERE h.source IS NOT NULL)
        SELECT array_agg(source ORDER BY source) FROM heard
        WHERE source NOT IN ('automation', 'desk', 'stock')) AS heard_of,
    (SELECT count(*) FROM (SELECT FROM orders LIMIT $1) o) AS orders,
    (SELECT count(*) FROM (SELECT FROM orders WHERE paid_minor > 0 LIMIT $1) o) AS paid,
    (SELECT count(*) FROM (SELECT FROM child_orders WHERE shipped_at IS NOT NULL LIMIT $1) c) AS shipped"""
COUNTED = 1_000
"""Orders and parcels; of more it is enough to know that they are more."""


TEST = "TEST-"
"""How the numbers of test orders begin."""
NEWEST_TEST = """
SELECT o.order_no, o.status, o.payment_code, o.paid_minor > 0 AS paid,
    coalesce(bool_and(c.status <> 'BACKORDER'), false) AS reserved,
    coalesce(bool_or(c.shipped_at IS NOT NULL), false) AS shipped,
    coalesce(bool_and(c.signed_at IS NOT NULL), false) AS signed
FROM orders o LEFT JOIN child_orders c USING (order_no)
WHERE o.order_no = (SELECT max(order_no) FROM orders WHERE order_no >= $1 AND order_no < $2
    AND ($3::text[] IS NULL OR channel = ANY ($3))) GROUP BY o.order_no"""
TO_TRY = """
SELECT DISTINCT s.sku FROM (SELECT sku FROM stock WHERE available > 0
    AND ($1::text[] IS NULL OR warehouse = ANY ($1)) ORDER BY sku, warehouse LIMIT 500) s
JOIN skus USING (sku) ORDER BY s.sku LIMIT 100"""


async def newest_test(pool: Pool, scope: PersonScope) -> Row | None:
    """Of the shops that the reader sees, with how far it has come."""
    return await pool.fetchrow(NEWEST_TEST, TEST, TEST[:-1] + ".", seen_by(scope)[0])


async def skus_to_try(pool: Pool, scope: PersonScope) -> tuple[str, ...]:
    """Some that are known, and there in a warehouse that the reader sees."""
    return tuple(row["sku"] for row in await pool.fetch(TO_TRY, seen_by(scope)[1]))


async def how_far(pool: Pool) -> Mapping[str, Any]:
    row = await pool.fetchrow(LOOK, COUNTED)
    assert row is not None
    return {**row, "heard_of": row["heard_of"] or []}
