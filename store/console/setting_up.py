"""How far an installation has come, from its books: nothing is asked of anybody outside, and no key is looked at."""

from collections.abc import Mapping
from typing import Any

from store.pool import Pool

LOOK = """
SELECT (SELECT count(DISTINCT r.person_id) FROM person_roles r JOIN people p USING (person_id)
        WHERE r.role = 'ADMIN' AND p.active) AS administrators,
    (SELECT count(DISTINCT r.role) FROM person_roles r JOIN people p USING (person_id)
        WHERE r.role IN ('CS_SUPERVISOR', 'FINANCE', 'ORDER_OPS', 'WAREHOUSE') AND p.active) AS roles,
    (SELECT count(*) FROM skus) AS skus, (SELECT count(*) FROM stock WHERE available > 0) AS stocked,
    (SELECT coalesce(max(version), 0) FROM policies) AS policy,
    (SELECT coalesce(max(version), 0) FROM business_books WHERE kind = 'automations') AS automations,
    (SELECT coalesce(max(version), 0) FROM business_books WHERE kind = 'forms') AS forms,
    (SELECT array_agg(DISTINCT source) FROM inbox
        WHERE source NOT IN ('automation', 'desk', 'stock')) AS heard_of,
    (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM orders WHERE paid_minor > 0) AS paid,
    (SELECT count(*) FROM child_orders WHERE shipped_at IS NOT NULL) AS shipped"""


async def how_far(pool: Pool) -> Mapping[str, Any]:
    row = await pool.fetchrow(LOOK)
    assert row is not None
    return {**row, "heard_of": row["heard_of"] or []}
