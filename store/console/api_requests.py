"""Changes asked for over the open API, by the caller's own key: done once, and told again for at least seven days."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from store.pool import Pool

# Whoever inserts does it. Whoever finds it unanswered and given up goes on with it. Else the row tells.
CLAIM = """
INSERT INTO api_requests AS r (service, key, said, made_at, claimed_until) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (service, key) DO UPDATE SET claimed_until = $5, attempt = r.attempt + 1
WHERE r.said = $3 AND r.status IS NULL AND coalesce(r.claimed_until <= $4, true)
RETURNING attempt"""

KNOWN = "SELECT said, status, answer, claimed_until FROM api_requests WHERE service = $1 AND key = $2"

KEEP = """
UPDATE api_requests SET status = $4, answer = $5, claimed_until = NULL
WHERE service = $1 AND key = $2 AND attempt = $3 AND status IS NULL"""

LEAVE = """
UPDATE api_requests SET claimed_until = NULL WHERE service = $1 AND key = $2 AND attempt = $3 AND status IS NULL"""

# A few at every claim: as many are forgotten as come.
FORGET = """
DELETE FROM api_requests WHERE (service, key) IN (
    SELECT service, key FROM api_requests WHERE made_at < $1 ORDER BY made_at LIMIT 5 FOR UPDATE SKIP LOCKED)"""

KEPT = timedelta(days=8)
LEASE = timedelta(seconds=120)
"""Longer than any change is waited for."""


@dataclass(frozen=True)
class Mine:
    """To be done now. `attempt` over 1: one before may have done it, or a part of it."""

    attempt: int


@dataclass(frozen=True)
class Told:
    """What it was answered."""

    status: int
    answer: str


class UnderWay(Exception):
    """Somebody does it this moment."""


class SaidOtherwise(Exception):
    """The key was used for something else."""


class ApiRequestStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, service: str, key: str, said: bytes, at: datetime) -> Mine | Told:
        """Raises `UnderWay`, `SaidOtherwise`."""
        async with self._pool.acquire() as connection, connection.transaction():
            attempt = await connection.fetchval(CLAIM, service, key, said, at, at + LEASE)
            if attempt is not None:
                await connection.execute(FORGET, at - KEPT)
                return Mine(attempt)
            known = await connection.fetchrow(KNOWN, service, key)
        if known is None or known["said"] != said:
            raise SaidOtherwise
        if known["status"] is None:
            raise UnderWay
        return Told(known["status"], known["answer"])

    async def keep(self, service: str, key: str, attempt: int, told: Told) -> None:
        await self._pool.execute(KEEP, service, key, attempt, told.status, told.answer)

    async def leave(self, service: str, key: str, attempt: int) -> None:
        """It is not known to be done: whoever asks again goes on with it."""
        await self._pool.execute(LEAVE, service, key, attempt)
