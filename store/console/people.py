"""People for the pages of administrators: who there is, what each sees, who stands in for whom, what is asked."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from store.approvals.people import PeopleStore, Person
from store.pool import Pool

SCOPES = "SELECT person_id, kind, value FROM person_scopes WHERE $1::text IS NULL OR person_id = $1 ORDER BY 1, 2, 3"

# Those that are still to end, in which a person lends or is lent to.
DELEGATIONS = """
SELECT delegator, delegate, starts_at, ends_at FROM delegations
WHERE revoked_at IS NULL AND ends_at > $1 AND ($2::text IS NULL OR delegator = $2 OR delegate = $2) ORDER BY ends_at"""

TOKENS = """
SELECT token_no, service, scopes, channels, warehouses, expires_at, last_used_at FROM api_tokens
WHERE revoked_at IS NULL AND expires_at > $1 ORDER BY service, made_at"""


@dataclass(frozen=True)
class StandIn:
    delegator: str
    delegate: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class TokenInUse:
    """Of a program of others. `channels`, `warehouses` None: all of them."""

    token_no: str
    service: str
    scopes: tuple[str, ...]
    channels: tuple[str, ...] | None
    warehouses: tuple[str, ...] | None
    expires_at: datetime
    last_used_at: datetime | None


class PeoplePages:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def everybody(self, at: datetime) -> tuple[Person, ...]:
        """By id."""
        return await PeopleStore(self._pool).list(at)

    async def person(self, person_id: str, at: datetime) -> Person | None:
        return next((one for one in await self.everybody(at) if one.person_id == person_id), None)

    async def scopes(self, person_id: str | None = None) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """By person, then `channel` and `warehouse`; who is not there sees everything."""
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"channel": [], "warehouse": []})
        for row in await self._pool.fetch(SCOPES, person_id):
            found[row["person_id"]][row["kind"]].append(row["value"])
        return {person: {kind: tuple(names) for kind, names in kinds.items()} for person, kinds in found.items()}

    async def stand_ins(self, at: datetime, person_id: str | None = None) -> tuple[StandIn, ...]:
        return tuple(StandIn(**row) for row in await self._pool.fetch(DELEGATIONS, at, person_id))

    async def tokens(self, at: datetime) -> tuple[TokenInUse, ...]:
        """Of programs, those that count."""
        return tuple(
            TokenInUse(
                row["token_no"], row["service"], tuple(row["scopes"]), _all_or(row["channels"]),
                _all_or(row["warehouses"]), row["expires_at"], row["last_used_at"],
            )
            for row in await self._pool.fetch(TOKENS, at)
        )  # fmt: skip


def _all_or(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)
