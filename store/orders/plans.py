"""Plans: what one depends on, locked in the transaction that reserves by it, and its explanation for people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain.catalog.records import SkuRecord
from domain.fulfilment.explanation import Explanation, as_of_now
from domain.fulfilment.planning import AvailableStock, PlanInputs
from domain.policy import Policy
from domain.records import Priced
from domain.rules.question import weighed
from domain.states import ChildStatus
from domain.strict import of
from store.orders.backorders import after_claims
from store.pool import Connection, Pool
from store.rules.decisions import decision_for
from store.stock.ledger import lock

# Where the order goes, as far as tariffs and rules look at it.
REGION = """
SELECT start #>> '{address,province}' AS province, start #>> '{address,city}' AS city FROM orders WHERE order_no = $1"""

# Lines that the order itself sends to a certain warehouse.
OWN_TAGS = """
SELECT line ->> 'line_id' AS line_id FROM orders, jsonb_array_elements(start -> 'lines') AS line
WHERE order_no = $1 AND jsonb_typeof(line -> 'tags') = 'object'"""

# The explanation of an order's plan. Settling again finds it there.
KEEP = "INSERT INTO order_plans (order_no, planned_at, explanation) VALUES ($1, $2, $3)"

# By order number or child number.
READ = """
SELECT p.planned_at, p.explanation FROM order_plans p
WHERE p.order_no = coalesce((SELECT order_no FROM child_orders WHERE child_no = $1), $1)"""

# What could be had now where the plan has looked; what this order keeps there it could have, too.
NOW = """
WITH kept AS (
    SELECT m.sku, m.warehouse, sum(CASE m.kind WHEN 'reserve' THEN m.qty ELSE -m.qty END) AS units
    FROM child_orders c JOIN child_lines l USING (child_no) JOIN stock_moves m ON m.ref = l.child_no || '/' || l.line_id
    WHERE c.order_no = $1 GROUP BY m.sku, m.warehouse
) SELECT p.sku, p.warehouse, greatest(coalesce(s.available, 0) + coalesce(k.units, 0), 0)::integer AS available
FROM unnest($2::text[], $3::text[]) AS p (sku, warehouse)
LEFT JOIN stock s USING (sku, warehouse) LEFT JOIN kept k USING (sku, warehouse)"""

CHILDREN = "SELECT child_no, status, warehouse, replaces FROM child_orders WHERE order_no = $1 ORDER BY child_no"
STANDS = frozenset(
    {ChildStatus.BACKORDER, ChildStatus.CUSTOMS_HOLD, ChildStatus.RELEASED, ChildStatus.PICKING, ChildStatus.PACKED}
)


@dataclass(frozen=True)
class LaterChild:
    """A parcel that was made after the split, `of` others."""

    child_no: str
    warehouse: str
    of: tuple[str, ...]


@dataclass(frozen=True)
class KeptPlan:
    """`as_of`: of what would make one child less."""

    planned_at: datetime
    explanation: Explanation
    as_of: datetime
    later: tuple[LaterChild, ...] = ()


class PlanStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def explanation(self, number: str) -> KeptPlan | None:
        """Of an order or of the order of a child; None where none was stored."""
        row = await self._pool.fetchrow(READ, number)
        if row is None:
            return None
        return KeptPlan(row["planned_at"], of(Explanation, row["explanation"]), row["planned_at"])

    async def explanation_now(self, number: str, now: datetime) -> KeptPlan | None:
        """The same, with what would make one child less now, as long as every child of the split still stands."""
        kept = await self.explanation(number)
        if kept is None:
            return None
        plan, order_no = {child.child_no for child in kept.explanation.plan}, kept.explanation.order_no
        children = await self._pool.fetch(CHILDREN, order_no)
        later = tuple(
            LaterChild(c["child_no"], c["warehouse"], tuple(c["replaces"]))
            for c in children
            if c["child_no"] not in plan
        )
        if not plan <= {c["child_no"] for c in children if c["status"] in STANDS}:
            return replace(kept, later=later)
        places = [(b.sku, b.warehouse) for b in kept.explanation.inputs.stock]
        rows = await self._pool.fetch(NOW, order_no, [sku for sku, _ in places], [place for _, place in places])
        explanation = as_of_now(kept.explanation, [AvailableStock(**row) for row in rows])
        return KeptPlan(kept.planned_at, explanation, now, later)


async def keep_explanation(connection: Connection, explanation: Explanation, at: datetime) -> None:
    """Inside the transaction that stores the children."""
    await connection.execute(KEEP, explanation.order_no, at, explanation.model_dump(mode="json"))


async def plan_inputs(
    connection: Connection, order_no: str, priced: Priced, catalogue: Mapping[str, SkuRecord], policy: Policy
) -> PlanInputs:
    """The balances of every warehouse that a line may come from stay locked until the transaction ends.

    `catalogue`: by line, as frozen at registration. A line with tags of its own comes from the warehouse in them.
    """
    where = await connection.fetchrow(REGION, order_no)
    candidates = await _candidates(connection, order_no, catalogue)
    places = {(line.sku, w) for line in priced.lines for w in candidates.get(line.line_id) or (line.tags.warehouse,)}
    left = await after_claims(connection, await lock(connection, places))
    return PlanInputs(
        order_no=order_no,
        priced=weighed(priced, catalogue),
        decision=await decision_for(connection, order_no, priced, catalogue, candidates, left, policy),
        candidates=candidates,
        stock=tuple(AvailableStock(sku=sku, warehouse=w, available=left.get((sku, w), 0)) for sku, w in sorted(places)),
        province=where["province"] if where else "",
        city=where["city"] if where else "",
        policy_version=policy.version,
    )


async def _candidates(
    connection: Connection, order_no: str, catalogue: Mapping[str, SkuRecord]
) -> dict[str, tuple[str, ...]]:
    """By line, where there is something to choose."""
    several = {line_id: record.ship_from for line_id, record in catalogue.items() if len(record.ship_from) > 1}
    own = {row["line_id"] for row in await connection.fetch(OWN_TAGS, order_no)} if several else set()
    return {line_id: places for line_id, places in several.items() if line_id not in own}
