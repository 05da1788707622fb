"""Who is signed in to the web console. The number in a browser's cookie is not here, only its hash."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from asyncpg import UniqueViolationError

from domain.approvals import Principal, Role
from domain.records import AuditEntry
from store.approvals.people import principal
from store.audit.audit import append_entry
from store.errors import StoreError
from store.pool import Connection, Pool

OPEN = """
INSERT INTO console_sessions (session_hash, person_id, source, roles, sign_in_id, credential, signed_in_at, seen_at,
    expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)"""

# A session that counts: not ended, not too old, used lately.
FIND = """
SELECT person_id, source, roles, credential, signed_in_at, seen_at, expires_at FROM console_sessions
WHERE session_hash = $1 AND ended_at IS NULL AND expires_at > $2 AND seen_at > $3"""

SEEN = "UPDATE console_sessions SET seen_at = $2 WHERE session_hash = $1 AND seen_at < $2"

END = "UPDATE console_sessions SET ended_at = $2 WHERE session_hash = $1 AND ended_at IS NULL RETURNING person_id"

SCOPES = "SELECT kind, value FROM person_scopes WHERE person_id = $1"

# Long after their end: the number of a sign-in that served has to be known as long as its token could live.
FORGET = "DELETE FROM console_sessions WHERE expires_at < $1"
KEPT = timedelta(days=1)
SEEN_EVERY = timedelta(seconds=60)
"""How exactly the idle time is kept: each page would write a row otherwise."""


class SignInSpent(StoreError):
    """The token that should sign in has done so before."""


@dataclass(frozen=True)
class PersonScope:
    """The shops and warehouses that a person sees; None: all of them."""

    channels: frozenset[str] | None = None
    warehouses: frozenset[str] | None = None


@dataclass(frozen=True)
class NewSession:
    """`roles`: as the identity provider tells them; None: as the books tell."""

    session_hash: bytes
    person_id: str
    source: Literal["local", "oidc"]
    roles: frozenset[Role] | None
    sign_in_id: str
    credential: bytes
    expires_at: datetime


@dataclass(frozen=True)
class SessionRow:
    """Of somebody who is active this moment, as the books know them now."""

    person: Principal
    scope: PersonScope
    credential: bytes
    signed_in_at: datetime
    expires_at: datetime


class SessionStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def open(self, new: NewSession, at: datetime) -> None:
        """Raises `SignInSpent`."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(FORGET, at - KEPT)
            try:
                await connection.execute(
                    OPEN, new.session_hash, new.person_id, new.source,
                    None if new.roles is None else sorted(new.roles), new.sign_in_id, new.credential, at,
                    new.expires_at,
                )  # fmt: skip
            except UniqueViolationError:
                raise SignInSpent(f"this sign-in of {new.person_id} has served before; get a new one") from None
            entry = AuditEntry(actor=new.person_id, action="console.signed_in", detail={"source": new.source})
            await append_entry(connection, entry, at)

    async def find(self, session_hash: bytes, at: datetime, idle: timedelta) -> SessionRow | None:
        """None: nobody, or not any more. Somebody who was deactivated has no session from that moment on."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(FIND, session_hash, at, at - idle)
            if row is None:
                return None
            person = await _person(connection, row["person_id"], row["roles"], at)
            if person is None or not person.active:
                await connection.execute(END, session_hash, at)
                return None
            if at - row["seen_at"] >= SEEN_EVERY:
                await connection.execute(SEEN, session_hash, at)
            scope = await scope_of(connection, row["person_id"])
        return SessionRow(person, scope, row["credential"], row["signed_in_at"], row["expires_at"])

    async def person(self, person_id: str, roles: frozenset[Role] | None, at: datetime) -> Principal | None:
        """Who signs in, as pages will know them. None: nobody of ours."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await _person(connection, person_id, None if roles is None else sorted(roles), at)

    async def end(self, session_hash: bytes, at: datetime) -> None:
        """Again, it does nothing."""
        async with self._pool.acquire() as connection, connection.transaction():
            person_id = await connection.fetchval(END, session_hash, at)
            if person_id is not None:
                entry = AuditEntry(actor=person_id, action="console.signed_out", detail={})
                await append_entry(connection, entry, at)


async def scope_of(connection: Connection, person_id: str) -> PersonScope:
    named: dict[str, set[str]] = {}
    for row in await connection.fetch(SCOPES, person_id):
        named.setdefault(row["kind"], set()).add(row["value"])
    return PersonScope(*(frozenset(named[kind]) if kind in named else None for kind in ("channel", "warehouse")))


async def _person(connection: Connection, person_id: str, roles: list[str] | None, at: datetime) -> Principal | None:
    """Who comes from the identity provider has the roles that it tells, known here or not; who was deactivated here
    stays so. Looking at pages writes nobody down as a person."""
    known = await principal(connection, person_id, at)
    if roles is None:
        return known
    lent = known.delegations if known else ()
    return Principal(person_id, frozenset(map(Role, roles)), known is None or known.active, lent)
