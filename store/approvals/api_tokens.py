"""Tokens of the open API: made and revoked in a change of the controls, looked up at every request and every proof."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncpg import UniqueViolationError

from domain.access.api_tokens import ASKED_FOR, LONGEST_LIFE, ApiScope, ApiToken
from domain.access.authority import ProofCode, ProvenCaller
from domain.access.controls import AddApiToken, RevokeApiToken
from domain.approvals import Role
from domain.records import AuditEntry
from store.approvals.people import ADD, GRANT, PERSON, SOURCE
from store.audit.audit import append_entry
from store.errors import CommandNotAdmitted, PersonRefused
from store.pool import Connection, Pool, Row

INSERT = """
INSERT INTO api_tokens (token_no, service, public_key, scopes, channels, warehouses, per_minute, made_at, made_by,
    expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""

REVOKE = """
UPDATE api_tokens SET revoked_at = $3, revoked_by = $4 WHERE token_no = $1 AND service = $2 AND revoked_at IS NULL
RETURNING token_no"""

# A token that counts at a moment, of a service that nobody has deactivated.
_LIVE = """t.revoked_at IS NULL AND t.expires_at > $2
    AND EXISTS (SELECT FROM people p WHERE p.person_id = t.service AND p.active)"""
_COLUMNS = "t.token_no, t.service, t.public_key, t.scopes, t.channels, t.warehouses, t.per_minute, t.expires_at"

FIND = f"SELECT {_COLUMNS}, t.last_used_at FROM api_tokens t WHERE t.token_no = $1 AND {_LIVE}"  # noqa: S608

USED = "UPDATE api_tokens SET last_used_at = $2 WHERE token_no = $1 AND coalesce(last_used_at < $2, true)"

# Until the transaction ends nobody revokes it.
HOLD = f"SELECT {_COLUMNS} FROM api_tokens t WHERE t.token_no = $1 AND {_LIVE} FOR SHARE OF t"  # noqa: S608

# Of an order, or of the order of a case: its shop, and whether a part of it is at a warehouse of $3 (NULL: all).
PLACE = """
SELECT o.channel, $3::text[] IS NULL OR EXISTS (
    SELECT FROM child_orders w WHERE w.order_no = o.order_no AND w.warehouse = ANY ($3)) AS reached
FROM orders o WHERE o.order_no = coalesce($1, (SELECT order_no FROM return_cases WHERE return_no = $2))"""

LIST = f"""
SELECT {_COLUMNS}, t.made_at, t.made_by, t.revoked_at, t.revoked_by, t.last_used_at, p.active
FROM api_tokens t JOIN people p ON p.person_id = t.service ORDER BY t.service, t.made_at"""  # noqa: S608

USED_EVERY = timedelta(seconds=60)
"""How exactly the last use is kept: each request would write a row otherwise."""


@dataclass(frozen=True)
class FoundToken:
    token: ApiToken
    last_used_at: datetime | None


@dataclass(frozen=True)
class ListedToken:
    """`state`: live, expired, revoked, or deactivated (the whole service)."""

    token: ApiToken
    state: str
    made_at: datetime
    made_by: str
    revoked_by: str | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class TokenUse:
    """A command as a token is asked about it. `row`: of the table of authority; `order_no`, `return_no`: what it is
    about, as far as it is about one; `channel`: of an order that is not there yet; `warehouse`: where goods come in."""

    row: str
    order_no: str | None = None
    return_no: str | None = None
    channel: str | None = None
    warehouse: str | None = None


class ApiTokenStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, token_no: str, at: datetime) -> FoundToken | None:
        """None: there is none, or none that counts any more."""
        row = await self._pool.fetchrow(FIND, token_no, at)
        return None if row is None else FoundToken(_token(row), row["last_used_at"])

    async def used(self, token_no: str, at: datetime) -> None:
        await self._pool.execute(USED, token_no, at)

    async def list(self, at: datetime) -> tuple[ListedToken, ...]:
        return tuple(
            ListedToken(
                _token(row), _state(row, at), row["made_at"], row["made_by"], row["revoked_by"], row["last_used_at"]
            )
            for row in await self._pool.fetch(LIST)
        )


async def add_api_token(connection: Connection, change: AddApiToken, by: str, at: datetime) -> None:
    """Raises `PersonRefused`."""
    if not at < change.expires_at <= at + LONGEST_LIFE:
        raise PersonRefused(f"token {change.token_no} has to end within {LONGEST_LIFE.days} days from now")
    await connection.execute(ADD, change.service, "service", at)
    if await connection.fetchval(SOURCE, change.service) != "service":
        raise PersonRefused(f"{change.service} is known as a person; a program takes another name")
    if not await connection.fetchval(PERSON, change.service):
        raise PersonRefused(f"{change.service} is deactivated; it gets tokens once it is active again")
    await connection.execute(GRANT, change.service, Role.SERVICE, at, by)
    scopes = sorted(set(change.scopes))
    narrowed = [None if names is None else sorted(set(names)) for names in (change.channels, change.warehouses)]
    try:
        await connection.execute(
            INSERT, change.token_no, change.service, bytes.fromhex(change.public_key), scopes, *narrowed,
            change.per_minute, at, by, change.expires_at,
        )  # fmt: skip
    except UniqueViolationError:
        raise PersonRefused(f"token {change.token_no} is there already; make a new one") from None
    detail = {
        "service": change.service, "token_no": change.token_no, "scopes": scopes, "channels": narrowed[0],
        "warehouses": narrowed[1], "expires_at": change.expires_at.isoformat(),
    }  # fmt: skip
    await append_entry(connection, AuditEntry(actor=by, action="people.api_token_added", detail=detail), at)


async def revoke_api_token(connection: Connection, change: RevokeApiToken, by: str, at: datetime) -> None:
    """Raises `PersonRefused`."""
    if await connection.fetchval(REVOKE, change.token_no, change.service, at, by) is None:
        raise PersonRefused(f"{change.service} has no token {change.token_no}, or it was revoked before")
    detail = {"service": change.service, "token_no": change.token_no}
    await append_entry(connection, AuditEntry(actor=by, action="people.api_token_revoked", detail=detail), at)


async def insist_on_scope(connection: Connection, caller: ProvenCaller, use: TokenUse, at: datetime) -> None:
    """Of a command that an API token proves: whether the books let this token give it, for this shop and warehouse.
    Raises `CommandNotAdmitted`."""
    found = await connection.fetchrow(HOLD, caller.key_id, at)
    if found is None or found["service"] != caller.person_id:
        raise CommandNotAdmitted(ProofCode.TOKEN_INVALID, f"{caller.person_id} has no such token any more")
    token, scope = _token(found), ASKED_FOR.get(use.row)
    if scope is None or not token.may(scope):
        needs = f"{use.row} needs the scope {scope}" if scope else f"{use.row} is not given with an API token"
        has = ", ".join(sorted(token.scopes))
        raise CommandNotAdmitted(ProofCode.WRONG_ROLE, f"{needs}; {caller.person_id} has {has}")
    where = await _elsewhere(connection, token, use)
    if where:
        raise CommandNotAdmitted(
            ProofCode.WRONG_ROLE, f"token {token.token_no} of {caller.person_id} is not for {where}"
        )


async def _elsewhere(connection: Connection, token: ApiToken, use: TokenUse) -> str:
    """What the token is not for, in words; '': it is for all that the command is about."""
    if use.warehouse is not None and token.warehouses is not None and use.warehouse not in token.warehouses:
        return f"the warehouse {use.warehouse}"
    if use.channel is not None:
        return "" if token.reaches(use.channel) else f"the channel {use.channel}"
    warehouses = None if token.warehouses is None else sorted(token.warehouses)
    place = await connection.fetchrow(PLACE, use.order_no, use.return_no, warehouses)
    if place is None:  # about no order, or about none that is there: that is said by who looks it up
        return ""
    if not token.reaches(place["channel"]):
        return f"the channel {place['channel']}"
    return "" if place["reached"] else f"the warehouses of order {use.order_no or use.return_no}"


def _token(row: Row) -> ApiToken:
    channels, warehouses = (None if row[k] is None else frozenset(row[k]) for k in ("channels", "warehouses"))
    return ApiToken(
        token_no=row["token_no"], service=row["service"], public_key=bytes(row["public_key"]),
        scopes=frozenset(map(ApiScope, row["scopes"])), channels=channels, warehouses=warehouses,
        per_minute=row["per_minute"], expires_at=row["expires_at"],
    )  # fmt: skip


def _state(row: Row, at: datetime) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    if row["expires_at"] <= at:
        return "expired"
    return "live" if row["active"] else "deactivated"
