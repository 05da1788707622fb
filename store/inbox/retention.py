"""The nightly tidying: bodies, refusals, repeats and notices that are older than the policy keeps them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.inbox.retention import Retention
from store.pool import Pool
from store.tickets.notices import NoticeStore

MOST = 1_000
"""Rows a statement: a long one would hold up callbacks."""

# One relay does a night's work; a night that was begun and not finished is made up for by the next one.
CLAIM = "INSERT INTO nightly_care (task, day, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING task"

NOTE = "UPDATE nightly_care SET note = $3 WHERE task = $1 AND day = $2"

# Bodies of rows that nobody waits for any more.
EMPTY = "SELECT drop_bodies($1, $2, $3, $4)"

REFUSALS = "DELETE FROM inbox_refusals WHERE id IN (SELECT id FROM inbox_refusals WHERE at < $1 ORDER BY at LIMIT $2)"

REPEATS = "DELETE FROM inbox_repeats WHERE ctid IN (SELECT ctid FROM inbox_repeats WHERE at < $1 ORDER BY at LIMIT $2)"


@dataclass(frozen=True)
class Tidied:
    bodies: int
    refusals: int
    repeats: int
    notices: int


class RetentionStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, task: str, day: date, at: datetime) -> bool:
        """False: this day's work has been begun, here or elsewhere."""
        return await self._pool.fetchval(CLAIM, task, day, at) is not None

    async def end(self, task: str, day: date, note: str) -> None:
        await self._pool.execute(NOTE, task, day, note)

    async def tidy(self, rules: Retention, now: datetime) -> Tidied:
        """In many short statements; doing it twice does nothing the second time."""
        bodies = 0
        for state, days in rules.bodies().items():
            while some := await self._pool.fetchval(EMPTY, state, now - timedelta(days=days), now, MOST):
                bodies += some
        refusals = await self._all(REFUSALS, now - timedelta(days=rules.refused_days))
        before = now - timedelta(days=rules.repeats_days)
        repeats = await self._all(REPEATS, before)
        notices, store = 0, NoticeStore(self._pool)
        while some := await store.forget(before):
            notices += some
        return Tidied(bodies, refusals, repeats, notices)

    async def _all(self, sql: str, *args: object) -> int:
        total = 0
        while True:
            done = _count(await self._pool.execute(sql, *args, MOST))
            total += done
            if done < MOST:
                return total


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[-1])


def summary(tidied: Tidied) -> str:
    parts: Iterable[tuple[str, int]] = vars(tidied).items()
    return ", ".join(f"{name} {n}" for name, n in parts)
