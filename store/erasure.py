"""Forgetting a buyer: what names a person goes from the books of ended orders and returns, by the decision of two.

The owner's functions do it, as far as an approval that was spent for it says. Sums, states, numbers and the audit's
chain stay. Pictures and histories lie elsewhere: `activities/access/erasure.py`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.approvals import content_hash
from store.errors import ChangeRefused
from store.pool import Connection, Pool

# What of a buyer is still under way, in words; at most a few lines.
UNDER_WAY = """
WITH theirs AS (SELECT order_no, ended_at FROM orders WHERE buyer_id = $1)
(SELECT 'order ' || order_no || ' has not ended' AS what FROM theirs WHERE ended_at IS NULL
UNION ALL
SELECT 'return ' || return_no || ' has not ended' FROM return_cases JOIN theirs USING (order_no)
    WHERE return_cases.ended_at IS NULL
UNION ALL
SELECT 'ticket ' || ticket_id || ' is open' FROM tickets JOIN theirs USING (order_no) WHERE state = 'open'
UNION ALL
SELECT 'approval ' || approval_id || ' waits' FROM approvals JOIN theirs USING (order_no)
    WHERE state = 'open' OR state = 'approved' AND used_at IS NULL AND kind IN ('outside_money', 'money_fact')
UNION ALL
SELECT 'refund ' || refund_no || ' is ' || status FROM refunds JOIN theirs USING (order_no)
    WHERE status IN ('REQUESTED', 'ACCEPTED', 'ABNORMAL'))
ORDER BY 1 LIMIT 6"""

COUNTS = """
SELECT count(*) AS orders,
    (SELECT count(*) FROM return_cases JOIN orders o USING (order_no) WHERE o.buyer_id = $1) AS returns,
    (SELECT count(*) FROM return_evidence e JOIN orders o USING (order_no) WHERE o.buyer_id = $1) AS pictures
FROM orders WHERE buyer_id = $1"""

BEGIN = "SELECT begin_erasure($1, $2)"
WORDS = "SELECT erase_words($1, $2)"
LONG = "SELECT set_config('statement_timeout', '300000', true)"
LONGEST_S = 310

QUESTIONS = """
SELECT a.approval_id, a.kind, a.subject, a.version, without_words(a.content) AS content
FROM approvals a JOIN erasures e ON a.order_no = ANY (e.orders)
WHERE e.approval_id = $1 AND NOT a.content ? 'erased'"""
QUESTION = "SELECT erase_approval($1, $2, $3)"

GET = "SELECT orders, returns, ended_at FROM erasures WHERE approval_id = $1"
PICTURES = """
SELECT evidence_id, content_type FROM return_evidence WHERE order_no = ANY($1::text[]) ORDER BY evidence_id"""
DECIDED_IN_PLACE = """
SELECT approval_id FROM approvals WHERE order_no = ANY($1::text[]) AND workflow_id IS NULL ORDER BY 1"""
END = "SELECT end_erasure($1, $2)"


@dataclass(frozen=True)
class LiesElsewhere:
    """What lies outside the books: `pictures` with their kinds, `decided` approvals that no workflow waited for."""

    orders: tuple[str, ...]
    returns: tuple[str, ...]
    pictures: tuple[tuple[str, str], ...]
    decided: tuple[str, ...]


async def what_is_theirs(connection: Connection, buyer_id: str) -> dict[str, Any]:
    """How much there is. Raises `ChangeRefused` for a buyer who is not known, or of whom something is under way."""
    counts = dict(await connection.fetchrow(COUNTS, buyer_id) or {})
    if not counts.get("orders"):
        raise ChangeRefused(f"buyer {buyer_id} has no order in the books; nothing was asked")
    under_way = [str(row["what"]) for row in await connection.fetch(UNDER_WAY, buyer_id)]
    if under_way:
        more = ", …" if len(under_way) > 5 else ""
        why = ", ".join(under_way[:5]) + more
        raise ChangeRefused(f"buyer {buyer_id} cannot be forgotten yet: {why}; ask again when all of it has ended")
    return counts


async def begin_erasure(connection: Connection, approval_id: str, at: datetime) -> None:
    """In the transaction that spends the approval: which orders and returns it is."""
    await connection.execute(BEGIN, approval_id, at)


class ErasureStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def words(self, approval_id: str, at: datetime) -> LiesElsewhere | None:
        """Erases in the books, and says what lies elsewhere. None: it has ended, or was never begun. Done again it
        changes nothing."""
        async with self._pool.acquire() as connection, connection.transaction():
            it = await connection.fetchrow(GET, approval_id)
            if it is None or it["ended_at"] is not None:
                return None
            await connection.execute(LONG)
            await connection.execute(WORDS, approval_id, at, timeout=LONGEST_S)
            for row in await connection.fetch(QUESTIONS, approval_id):
                kept = {**row["content"], "erased": row["approval_id"]}
                digest = content_hash(row["kind"], row["subject"], row["version"], kept)
                await connection.execute(QUESTION, row["approval_id"], kept, digest)
            pictures = await connection.fetch(PICTURES, it["orders"])
            decided = await connection.fetch(DECIDED_IN_PLACE, it["orders"])
        return LiesElsewhere(
            tuple(it["orders"]), tuple(it["returns"]),
            tuple((row["evidence_id"], row["content_type"]) for row in pictures),
            tuple(row["approval_id"] for row in decided),
        )  # fmt: skip

    async def ended(self, approval_id: str, at: datetime) -> None:
        await self._pool.execute(END, approval_id, at)
