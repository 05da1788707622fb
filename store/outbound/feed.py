"""Events for programs that ask instead of being told: read by a cursor, none missed, whoever commits when."""

from dataclasses import dataclass

from store.console.sessions import PersonScope
from store.pool import Pool

# Places are given here, in a statement of its own: what it has placed is committed before it is read.
PLACE = "SELECT place_events($1)"

OLDEST = "SELECT coalesce((SELECT min(place) FROM outbox), (SELECT placed + 1 FROM outbox_places))"

# $1: after, $2: up to, $3: how many, $4: types, $5: channels, $6: warehouses; NULL: all. What belongs to no order is
# told to whoever sees all shops.
READ = """
SELECT b.place, b.event_id, b.body FROM outbox b LEFT JOIN orders o USING (order_no)
WHERE b.place > $1 AND b.place <= $2 AND ($4::text[] IS NULL OR b.type = ANY ($4))
    AND ($5::text[] IS NULL OR o.channel = ANY ($5))
    AND ($6::text[] IS NULL OR (
        EXISTS (SELECT FROM child_orders c WHERE c.order_no = b.order_no AND c.warehouse = ANY ($6))
        AND coalesce(b.body::jsonb #>> '{data,warehouse}', $6[1]) = ANY ($6)))
ORDER BY b.place LIMIT $3"""

WINDOW = 2_000
"""Places looked through at once, however few of them the reader may see."""
PLACED_AT_ONCE = 2_000


@dataclass(frozen=True)
class FeedEvent:
    """`body`: the very text that webhooks carry."""

    event_id: str
    body: str


@dataclass(frozen=True)
class FeedPage:
    """`next`: where to go on; `more`: there is something there already, perhaps."""

    events: tuple[FeedEvent, ...]
    next: int
    more: bool


class Forgotten(Exception):
    """Events after this place were dropped since: they were older than they are kept."""


class EventFeed:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def oldest(self) -> int:
        """The place before the oldest event that is kept."""
        return int(await self._pool.fetchval(OLDEST)) - 1

    async def read(self, after: int, limit: int, types: tuple[str, ...], scope: PersonScope) -> FeedPage:
        """Raises `Forgotten`."""
        placed = int(await self._pool.fetchval(PLACE, PLACED_AT_ONCE))
        if after < await self.oldest():
            raise Forgotten
        end = min(after + WINDOW, placed)
        seen = [None if names is None else sorted(names) for names in (scope.channels, scope.warehouses)]
        rows = await self._pool.fetch(READ, after, end, limit, sorted(types) or None, *seen)
        at = rows[-1]["place"] if len(rows) == limit else max(after, end)
        return FeedPage(tuple(FeedEvent(row["event_id"], row["body"]) for row in rows), at, at < placed)
