"""People who may decide: ids, roles, and who stands in for whom until when. Every change leaves an audit row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from asyncpg import CheckViolationError, RaiseError

from domain.access.authority import ProvenCaller
from domain.approvals import Delegation, Identity, Principal, Role
from domain.records import AuditEntry
from store.audit.audit import append_entry
from store.errors import NoSuchPerson, PersonRefused
from store.pool import Connection, Pool

# A person; one who is known stays as they are, deactivated ones too.
ADD = """
INSERT INTO people (person_id, source, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING person_id"""

GRANT = """
INSERT INTO person_roles (person_id, role, granted_at, granted_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id, role) DO NOTHING"""

REVOKE = "DELETE FROM person_roles WHERE person_id = $1 AND NOT role = ANY ($2::text[])"

REVOKE_ONE = "DELETE FROM person_roles WHERE person_id = $1 AND role = $2 RETURNING role"

SET_ACTIVE = """
UPDATE people SET active = $2, deactivated_at = CASE WHEN $2 THEN NULL ELSE coalesce(deactivated_at, $3) END
WHERE person_id = $1 RETURNING person_id"""

DELEGATE = "INSERT INTO delegations (delegator, delegate, starts_at, ends_at) VALUES ($1, $2, $3, $4)"

# Delegations that are still to end.
END_DELEGATION = """
UPDATE delegations SET revoked_at = $3 WHERE delegator = $1 AND delegate = $2 AND revoked_at IS NULL AND ends_at > $3
RETURNING id"""

# A share lock: a person cannot be deactivated between this look and the commit of what depends on it. NULL: unknown.
PERSON = "SELECT active_person($1)"

# Whoever changes who holds a role waits for the others that do: two may not each leave the other as the last one.
ONE_AT_A_TIME = "SELECT hold('people')"

FORGET_SCOPE = "DELETE FROM person_scopes WHERE person_id = $1"
ADD_SCOPE = "INSERT INTO person_scopes (person_id, kind, value) SELECT $1, $2, unnest($3::text[])"

HOLDERS = """
SELECT p.person_id FROM people p JOIN person_roles r USING (person_id) WHERE r.role = $1 AND p.active
ORDER BY p.person_id"""

FIRST_ADMINISTRATORS = "SELECT first_administrators($1, $2, $3, $4)"

SOURCE = "SELECT source FROM people WHERE person_id = $1"

ROLES = "SELECT role FROM person_roles WHERE person_id = $1"

# Who lends their roles to a person at a moment.
LENT = """
SELECT d.delegator, d.ends_at, p.active, array_agg(r.role) FILTER (WHERE r.role IS NOT NULL) AS roles
FROM delegations d JOIN people p ON p.person_id = d.delegator LEFT JOIN person_roles r ON r.person_id = d.delegator
WHERE d.delegate = $1 AND d.starts_at <= $2 AND d.ends_at > $2 AND d.revoked_at IS NULL
GROUP BY d.id, d.delegator, d.ends_at, p.active"""

LIST = """
SELECT p.person_id, p.source, p.active, p.created_at, p.deactivated_at,
    coalesce((SELECT array_agg(r.role ORDER BY r.role) FROM person_roles r WHERE r.person_id = p.person_id), '{}')
        AS roles,
    coalesce((SELECT array_agg(d.delegate || ' until ' || to_char(d.ends_at AT TIME ZONE 'Asia/Shanghai',
        'YYYY-MM-DD HH24:MI') ORDER BY d.ends_at) FROM delegations d
        WHERE d.delegator = p.person_id AND d.revoked_at IS NULL AND d.ends_at > $1), '{}') AS delegates
FROM people p ORDER BY p.person_id"""


@dataclass(frozen=True)
class Person:
    """`delegates`: who stands in for them, as `person until time`."""

    person_id: str
    source: str
    active: bool
    created_at: datetime
    deactivated_at: datetime | None
    roles: tuple[Role, ...]
    delegates: tuple[str, ...]


class PeopleStore:
    """Changes here are made as they stand: who may make them is decided before (`store/approvals/controls.py`)."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, person_id: str, roles: Iterable[Role], by: str, at: datetime) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            return await add_person(connection, person_id, roles, by, at)

    async def set_role(self, person_id: str, role: Role, held: bool, by: str, at: datetime) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await set_role(connection, person_id, role, held, by, at)

    async def set_active(self, person_id: str, active: bool, by: str, at: datetime) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await set_active(connection, person_id, active, by, at)

    async def delegate(
        self, delegator: str, delegate: str, ends_at: datetime, by: str, at: datetime, starts_at: datetime | None = None
    ) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await delegate_roles(connection, delegator, delegate, ends_at, by, at, starts_at)

    async def end_delegation(self, delegator: str, delegate: str, by: str, at: datetime) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            return await end_delegation(connection, delegator, delegate, by, at)

    async def first_administrators(self, first: str, second: str, by: str, at: datetime) -> None:
        """Of an installation in which nobody may decide who may decide. Raises `PersonRefused`."""
        try:
            await self._pool.execute(FIRST_ADMINISTRATORS, first, second, at, by)
        except (RaiseError, CheckViolationError) as error:
            raise PersonRefused(f"{first} and {second} were not made administrators: {error.args[0]}") from None

    async def list(self, at: datetime) -> tuple[Person, ...]:
        return tuple(
            Person(**{**dict(row), "roles": tuple(map(Role, row["roles"])), "delegates": tuple(row["delegates"])})
            for row in await self._pool.fetch(LIST, at)
        )

    async def principal(self, person_id: str, at: datetime) -> Principal | None:
        """A person as `may_decide` looks at them; None: unknown."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await principal(connection, person_id, at)


async def principal(connection: Connection, person_id: str, at: datetime) -> Principal | None:
    active = await connection.fetchval(PERSON, person_id)
    if active is None:
        return None
    lent = tuple(
        Delegation(row["delegator"], frozenset(map(Role, row["roles"] or ())), row["active"], row["ends_at"])
        for row in await connection.fetch(LENT, person_id, at)
    )
    return Principal(person_id, await roles_of(connection, person_id), active, lent)


async def add_person(connection: Connection, person_id: str, roles: Iterable[Role], by: str, at: datetime) -> bool:
    """False: the person was known already; roles are added all the same. Raises `PersonRefused`."""
    wanted = sorted(set(roles))
    _not_oneself(person_id, by)
    new = await connection.fetchval(ADD, person_id, "local", at) is not None
    for role in wanted:
        await connection.execute(GRANT, person_id, role, at, by)
    await _tell(connection, by, "people.add", at, person_id=person_id, roles=wanted)
    return new


async def set_role(connection: Connection, person_id: str, role: Role, held: bool, by: str, at: datetime) -> None:
    """Gives or takes a role. Raises `NoSuchPerson`, `PersonRefused`."""
    _not_oneself(person_id, by)
    await insist_known(connection, person_id)
    if held:
        await connection.execute(GRANT, person_id, role, at, by)
    else:
        await connection.execute(REVOKE_ONE, person_id, role)
    action = "people.role_given" if held else "people.role_taken"
    await _tell(connection, by, action, at, person_id=person_id, role=role)


async def set_scope(
    connection: Connection, person_id: str, channels: Iterable[str], warehouses: Iterable[str], by: str, at: datetime
) -> None:
    """Instead of what was named before. Raises `NoSuchPerson`, `PersonRefused`."""
    _not_oneself(person_id, by)
    await insist_known(connection, person_id)
    named = {"channel": sorted(set(channels)), "warehouse": sorted(set(warehouses))}
    await connection.execute(FORGET_SCOPE, person_id)
    for kind, values in named.items():
        await connection.execute(ADD_SCOPE, person_id, kind, values)
    await _tell(connection, by, "people.scope", at, person_id=person_id, **named)


async def set_active(connection: Connection, person_id: str, active: bool, by: str, at: datetime) -> None:
    """Raises `NoSuchPerson`, `PersonRefused` (nobody activates themselves)."""
    if active:
        _not_oneself(person_id, by)
    if await connection.fetchval(SET_ACTIVE, person_id, active, at) is None:
        raise NoSuchPerson(person_id)
    await _tell(connection, by, "people.activate" if active else "people.deactivate", at, person_id=person_id)


async def delegate_roles(
    connection: Connection, delegator: str, delegate: str, ends_at: datetime, by: str, at: datetime,
    starts_at: datetime | None = None,
) -> None:  # fmt: skip
    """`delegate` may decide what `delegator` may, until `ends_at`. Raises `NoSuchPerson`, `PersonRefused`."""
    if delegator == delegate:
        raise PersonRefused(f"{delegator} cannot stand in for themselves; name another person")
    if by == delegate:
        raise PersonRefused(f"{delegate} cannot take {delegator}'s place by themselves; another person has to do it")
    if ends_at <= (starts_at or at):
        raise PersonRefused(f"the delegation of {delegator} would be over before it begins; give a later end")
    for person in (delegator, delegate):
        await insist_known(connection, person)
    await connection.execute(DELEGATE, delegator, delegate, starts_at or at, ends_at)
    detail = {"delegator": delegator, "delegate": delegate, "until": ends_at.isoformat()}
    await _tell(connection, by, "people.delegate", at, **detail)


async def end_delegation(connection: Connection, delegator: str, delegate: str, by: str, at: datetime) -> bool:
    """False: there was none."""
    ended = await connection.fetch(END_DELEGATION, delegator, delegate, at)
    if ended:
        await _tell(connection, by, "people.delegation_ended", at, delegator=delegator, delegate=delegate)
    return bool(ended)


async def active_holders(connection: Connection, role: Role) -> tuple[str, ...]:
    """Who holds the role and is active."""
    return tuple(row["person_id"] for row in await connection.fetch(HOLDERS, role))


async def roles_of(connection: Connection, person_id: str) -> frozenset[Role]:
    return frozenset(Role(row["role"]) for row in await connection.fetch(ROLES, person_id))


async def keep_identity(connection: Connection, identity: Identity | ProvenCaller, at: datetime) -> None:
    """A person of the identity provider, or a service, with the roles it tells of. One who was deactivated here stays
    so; where our own books tell the roles, nobody is added."""
    if identity.roles is not None:
        await connection.execute(ADD, identity.person_id, identity.source, at)
        await connection.execute(REVOKE, identity.person_id, sorted(identity.roles))
        for role in sorted(identity.roles):
            await connection.execute(GRANT, identity.person_id, role, at, "identity provider")


async def insist_known(connection: Connection, person_id: str) -> None:
    if await connection.fetchval(PERSON, person_id) is None:
        raise NoSuchPerson(person_id)


async def _tell(connection: Connection, by: str, action: str, at: datetime, **detail: object) -> None:
    await append_entry(connection, AuditEntry(actor=by, action=action, detail=dict(detail)), at)


def _not_oneself(person_id: str, by: str) -> None:
    if person_id == by:
        raise PersonRefused(f"{by} cannot change their own roles; another person has to do it")
