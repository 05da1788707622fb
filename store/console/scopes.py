"""What of an order a person sees: conditions of queries about what belongs to one."""

from collections.abc import Sequence

from store.console.sessions import PersonScope
from store.pool import Pool

# $1: channels, $2: warehouses, that the reader sees; NULL: all. What belongs to no order is everybody's.
SEEN = """
(o.order_no IS NULL OR $1::text[] IS NULL OR o.channel = ANY ($1))
AND (o.order_no IS NULL OR $2::text[] IS NULL
    OR EXISTS (SELECT FROM child_orders w WHERE w.order_no = o.order_no AND w.warehouse = ANY ($2)))"""

ORDER_IS_SEEN = f"SELECT EXISTS (SELECT FROM orders o WHERE o.order_no = $3 AND {SEEN})"  # noqa: S608 - our own words


SEEN_AMONG = f"SELECT o.order_no FROM orders o WHERE o.order_no = ANY ($3) AND {SEEN}"  # noqa: S608 - our own words


def seen_by(scope: PersonScope) -> tuple[list[str] | None, list[str] | None]:
    """The first two arguments of a query with `SEEN`."""
    return _names(scope.channels), _names(scope.warehouses)


def _names(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


async def sees_order(pool: Pool, order_no: str, scope: PersonScope) -> bool:
    """False too when there is no such order."""
    return bool(await pool.fetchval(ORDER_IS_SEEN, *seen_by(scope), order_no))


async def seen_among(pool: Pool, order_nos: Sequence[str], scope: PersonScope) -> frozenset[str]:
    """Those that the reader sees."""
    return frozenset(row["order_no"] for row in await pool.fetch(SEEN_AMONG, *seen_by(scope), list(order_nos)))
