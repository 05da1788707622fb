"""Lost, unexpected, duplicated, recovered: the senders' journals against our books, id by id."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

BODIES = "SELECT id, encode(sha256(body), 'hex') AS said, state FROM inbox WHERE via = 'callback'"
REPEATS = """
SELECT encode(sha256(i.body), 'hex') AS said, count(*) AS n FROM inbox_repeats r JOIN inbox i ON i.id = r.inbox_id
WHERE r.via = 'callback' GROUP BY 1"""
APPLIED = """
SELECT order_no, key, count(*) AS n FROM order_events WHERE outcome = 'APPLIED' GROUP BY 1, 2 HAVING count(*) > 1"""
UNTOLD = """
SELECT i.id FROM inbox i WHERE i.via = 'callback' AND jsonb_array_length(i.facts) > 0
    AND NOT EXISTS (SELECT FROM order_events e WHERE e.inbox_id = i.id)"""
UNFINISHED = ("received", "delivered", "parked", "dead", "held")


@dataclass(frozen=True)
class Balance:
    """Ids. `lost`: thanked for and not in the books, or without an outcome there; `unexpected`: in the books, never
    sent; `duplicated`: stored or applied twice; `recovered`: in the books, the thanks lost on the way (allowed)."""

    messages: int
    attempts: int
    lost: frozenset[str]
    unexpected: frozenset[str]
    duplicated: frozenset[str]
    recovered: frozenset[str]

    @property
    def good(self) -> bool:
        return not (self.lost or self.unexpected or self.duplicated)


async def balance(
    database: "asyncpg.Pool[asyncpg.Record]", attempted: Mapping[str, int], acked: Mapping[str, int]
) -> Balance:
    """Look when everything has drained. `attempted`, `acked`: how often each id stands in the senders' journals."""
    rows = await database.fetch(BODIES)
    stored = Counter(row["said"] for row in rows)
    repeats = Counter({row["said"]: row["n"] for row in await database.fetch(REPEATS)})
    stuck = {f"inbox {row['id']} is {row['state']}" for row in rows if row["state"] in UNFINISHED}
    untold = {f"inbox {row['id']} has no outcome" for row in await database.fetch(UNTOLD)}
    fewer = {said for said, n in acked.items() if stored[said] + repeats[said] < n}
    more = {said for said, n in stored.items() if n + repeats[said] > attempted.get(said, 0)}
    applied = {f"{row['order_no']} {row['key']}" for row in await database.fetch(APPLIED)}
    return Balance(
        messages=len(attempted),
        attempts=sum(attempted.values()),
        lost=frozenset(fewer | stuck | untold),
        unexpected=frozenset(more),
        duplicated=frozenset({said for said, n in stored.items() if n > 1} | applied),
        recovered=frozenset(said for said in stored if said in attempted and said not in acked),
    )
