"""Lists as people have saved them for themselves: a name, and the filters and columns of the address."""

from dataclasses import dataclass
from datetime import datetime

from store.errors import StoreError
from store.pool import Pool

MOST = 20
"""Of one person, for one page: they stand above the list."""

LIST = "SELECT name, query FROM console_views WHERE person_id = $1 AND page = $2 ORDER BY saved_at, name"

# Two windows of one person take turns, so that none goes over the limit.
QUEUE = "SELECT pg_advisory_xact_lock(hashtext('saved views'), hashtext($1))"

SAVE = """
INSERT INTO console_views (person_id, page, name, query, saved_at)
SELECT $1, $2, $3, $4, $5
WHERE EXISTS (SELECT FROM console_views WHERE person_id = $1 AND page = $2 AND name = $3)
    OR (SELECT count(*) FROM console_views WHERE person_id = $1 AND page = $2) < $6
ON CONFLICT (person_id, page, name) DO UPDATE SET query = excluded.query, saved_at = excluded.saved_at
RETURNING name"""

FORGET = "DELETE FROM console_views WHERE person_id = $1 AND page = $2 AND name = $3"


class TooManyViews(StoreError):
    def __init__(self) -> None:
        super().__init__(f"{MOST} lists are saved already; remove one, then save this one again")


@dataclass(frozen=True)
class SavedView:
    """`query`: as in the address, without `?`."""

    name: str
    query: str


class SavedViews:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self, person_id: str, page: str) -> tuple[SavedView, ...]:
        return tuple(SavedView(**row) for row in await self._pool.fetch(LIST, person_id, page))

    async def save(self, person_id: str, page: str, view: SavedView, at: datetime) -> None:
        """Over one of the same name. Raises `TooManyViews`."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(QUEUE, person_id)
            if await connection.fetchval(SAVE, person_id, page, view.name, view.query, at, MOST) is None:
                raise TooManyViews

    async def forget(self, person_id: str, page: str, name: str) -> None:
        """One that is not there is no fault."""
        await self._pool.execute(FORGET, person_id, page, name)
