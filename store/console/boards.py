"""Boards: measures of the report, arranged by somebody and shared with roles (R70)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Pool

LONGEST_NAME = 40
MOST = 50
"""Of an installation."""

VISIBLE = """
SELECT name, measures, roles, saved_by FROM boards WHERE saved_by = $1 OR roles && $2::text[] ORDER BY name"""

# Only whoever saved it changes it; another's name is taken.
SAVE = """
INSERT INTO boards (name, measures, roles, saved_by, saved_at)
SELECT $1, $2, $3, $4, $5
WHERE EXISTS (SELECT FROM boards WHERE name = $1) OR (SELECT count(*) FROM boards) < $6
ON CONFLICT (name) DO UPDATE SET measures = excluded.measures, roles = excluded.roles, saved_at = excluded.saved_at
    WHERE boards.saved_by = excluded.saved_by
RETURNING name"""
FORGET = "DELETE FROM boards WHERE name = $1 AND saved_by = $2 RETURNING name"


@dataclass(frozen=True)
class Board:
    name: str
    measures: tuple[str, ...]
    roles: tuple[str, ...]
    saved_by: str


class ReportBoards:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def visible(self, person_id: str, roles: Collection[str]) -> tuple[Board, ...]:
        """One's own, and those that are shared with one of the roles."""
        rows = await self._pool.fetch(VISIBLE, person_id, sorted(roles))
        return tuple(Board(r["name"], tuple(r["measures"]), tuple(r["roles"]), r["saved_by"]) for r in rows)

    async def save(self, board: Board, at: datetime) -> bool:
        """False: the name is another person's, or there are too many."""
        measures: Sequence[str] = list(board.measures)
        done = await self._pool.fetchval(SAVE, board.name, measures, list(board.roles), board.saved_by, at, MOST)
        return done is not None

    async def forget(self, name: str, person_id: str) -> bool:
        """False: there is none of that name, or it is another person's."""
        return await self._pool.fetchval(FORGET, name, person_id) is not None
