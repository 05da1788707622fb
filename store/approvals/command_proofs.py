"""Commands that were proven: who gave them, in which role, and the token, spent once and kept as evidence."""

from dataclasses import dataclass
from datetime import datetime

from domain.access.api_tokens import SERVICE
from domain.access.authority import Binding, NotAdmitted, ProofCode, ProvenCaller, may_give
from domain.approvals import Principal, Role
from domain.records import AuditEntry
from store.approvals.api_tokens import TokenUse, insist_on_scope
from store.approvals.people import PERSON, keep_identity, principal
from store.audit.audit import append_entry
from store.errors import CommandNotAdmitted
from store.pool import Connection, Pool, Row, clean

SPENT = """
SELECT workflow_id, command, content_hash, person_id, role, on_behalf_of, used_by FROM command_proofs
WHERE token_id = $1"""

# What is known of who asks, and whether there is a person for whom they do.
KNOWN = f"""
SELECT (SELECT p.source FROM people p WHERE p.person_id = $1) AS source, ({PERSON}) AS active,
    ARRAY(SELECT r.role FROM person_roles r WHERE r.person_id = $1) AS roles,
    EXISTS (SELECT FROM delegations d WHERE d.delegate = $1 AND d.starts_at <= $2 AND d.ends_at > $2
        AND d.revoked_at IS NULL) AS stands_in,
    $3::text IS NOT NULL AND active_person($3) IS NOT NULL AS for_a_person"""  # noqa: S608 - our own words

# The token is spent, and the audit says so; no row: it was spent before. The chain's lock is held until the commit.
SPEND = """
WITH spent AS (
    INSERT INTO command_proofs
        (token_id, workflow_id, command, content_hash, person_id, role, on_behalf_of, claims, used_by, used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING token_id
)
SELECT append_audit($10, $5, 'command.admitted', $11, $12, NULL, NULL) FROM spent"""

UNVERIFIED = "unverified"
"""Actor of a refusal when nothing has proven who it was."""


@dataclass(frozen=True)
class CommandPlace:
    """Which shop or warehouse a command is about, as far as its workflow's id does not say it. `channel`: of an order
    that is not in the books yet; `of_order`: of the order that it is about; `warehouse`: where goods come in."""

    channel: str | None = None
    of_order: str | None = None
    warehouse: str | None = None


@dataclass(frozen=True)
class AskedCommand:
    """A command before it is admitted. `row`: of the table of authority; `by`: whom its message names; `used_by`: the
    one request that brings it."""

    binding: Binding
    row: str
    by: str
    used_by: str
    order_no: str | None = None
    place: CommandPlace = CommandPlace()


@dataclass(frozen=True)
class Admission:
    """Who has given a command. `on_behalf_of`: for whom a service did."""

    person_id: str
    role: Role
    on_behalf_of: str | None = None


class CommandProofStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def admit(self, asked: AskedCommand, caller: ProvenCaller, at: datetime) -> Admission:
        """Looks at role and status, spends the token and writes both down, in one transaction. The same request again
        (a retry) gets the same answer. Raises `CommandNotAdmitted`; its audit row has been committed by then."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                return await _admit(connection, asked, caller, at)
        except CommandNotAdmitted as refused:
            await self.note_refusal(asked, refused, caller.person_id, at)
            raise

    async def admitted(self, asked: AskedCommand, caller: ProvenCaller, at: datetime) -> Admission | None:
        """What this very request was told before. None: its proof has not been spent. Raises as `admit` does."""
        try:
            async with self._pool.acquire() as connection:
                return await _told(connection, asked, caller)
        except CommandNotAdmitted as refused:
            await self.note_refusal(asked, refused, caller.person_id, at)
            raise

    async def note_refusal(self, asked: AskedCommand, refused: CommandNotAdmitted, actor: str, at: datetime) -> None:
        """The audit row of a refusal, in a transaction of its own. `actor`: who it is known to be, or UNVERIFIED."""
        detail = {
            "command": asked.row, "workflow_id": asked.binding.workflow_id, "code": refused.code,
            "why": clean(refused.why)[:300], "in_the_name_of": asked.by,
        }  # fmt: skip
        async with self._pool.acquire() as connection:
            entry = AuditEntry(actor=clean(actor), action="command.refused", detail=detail)
            await append_entry(connection, entry, at, asked.order_no)


async def _admit(connection: Connection, asked: AskedCommand, caller: ProvenCaller, at: datetime) -> Admission:
    if (before := await _told(connection, asked, caller)) is not None:
        return before
    bound = asked.binding
    role = await _role(connection, asked, caller, at)
    key = (caller.token_id, bound.workflow_id, bound.command, bound.content_hash)
    who = (caller.person_id, role, caller.on_behalf_of)
    detail = {
        "command": asked.row, "workflow_id": bound.workflow_id, "role": role, "content_hash": bound.content_hash,
        "token_id": caller.token_id,
    }  # fmt: skip
    if caller.on_behalf_of:
        detail["on_behalf_of"] = caller.on_behalf_of
    spent = (*key, *who, dict(caller.claims), asked.used_by, at, asked.order_no, detail)
    if not await connection.fetch(SPEND, *spent):
        raise CommandNotAdmitted(ProofCode.TOKEN_REPLAYED, "this proof serves elsewhere this moment; make a new one")
    return Admission(caller.person_id, role, caller.on_behalf_of)


async def _told(connection: Connection, asked: AskedCommand, caller: ProvenCaller) -> Admission | None:
    """Raises `CommandNotAdmitted`: its proof has served another one."""
    bound = asked.binding
    spent = await connection.fetchrow(SPENT, caller.token_id)
    if spent is None:
        return None
    same = (spent["workflow_id"], spent["command"], spent["content_hash"], spent["used_by"])
    if same != (bound.workflow_id, bound.command, bound.content_hash, asked.used_by):
        raise CommandNotAdmitted(ProofCode.TOKEN_REPLAYED, "this proof has served before; make a new one")
    return Admission(spent["person_id"], Role(spent["role"]), spent["on_behalf_of"])


async def _role(connection: Connection, asked: AskedCommand, caller: ProvenCaller, at: datetime) -> Role:
    known = await connection.fetchrow(KNOWN, caller.person_id, at, caller.on_behalf_of)
    assert known is not None, "it tells of nobody, too"
    known_as = known["source"]
    if known_as is not None and (known_as == "service") != (caller.source == "service"):
        why = f"{caller.person_id} is known here as {known_as}, and the proof is of another kind"
        raise CommandNotAdmitted(ProofCode.NOT_THE_SENDER, why)
    person = await _person(connection, caller, known, at)
    if person is None:
        why = f"{caller.person_id} is not known here; an administrator adds people with `oms people add`"
        raise CommandNotAdmitted(ProofCode.UNKNOWN_PERSON, why)
    found = may_give(asked.row, caller, person, asked.by, for_a_person=known["for_a_person"])
    if isinstance(found, NotAdmitted):
        raise CommandNotAdmitted(found.code, found.why)
    if caller.source == "service" and caller.person_id.startswith(SERVICE):
        kind, _, number = asked.binding.workflow_id.partition("/")
        order_no = asked.order_no or asked.place.of_order
        of_a_case = number if kind == "return" else None
        about = TokenUse(asked.row, order_no, of_a_case, asked.place.channel, asked.place.warehouse)
        await insist_on_scope(connection, caller, about, at)
    return found


async def _person(connection: Connection, caller: ProvenCaller, known: Row, at: datetime) -> Principal | None:
    """As `KNOWN` has them, unless the proof tells of other roles, or others have lent them theirs."""
    roles = frozenset(map(Role, known["roles"]))
    news = caller.roles is not None and (known["source"] is None or frozenset(caller.roles) != roles)
    if news:
        await keep_identity(connection, caller, at)
    if news or known["stands_in"]:
        return await principal(connection, caller.person_id, at)
    return None if known["active"] is None else Principal(caller.person_id, roles, known["active"])
