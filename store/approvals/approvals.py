"""Approvals: asked, decided once, used once. The row is locked while a person decides, so of two who race one wins."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from asyncpg import UniqueViolationError

from domain.approvals import (
    Allowed,
    ApprovalRequest,
    Decided,
    Decision,
    Identity,
    RefusalCode,
    Role,
    may_decide,
)
from domain.records import AuditEntry
from domain.strict import of
from store.approvals.binding import already_decided, check_binding
from store.approvals.people import PERSON, keep_identity, principal, roles_of
from store.audit.audit import append_entry
from store.errors import ApprovalChanged, DecisionRefused
from store.pool import Connection, Pool, Row, clean

State = Literal["open", "approved", "rejected", "withdrawn"]

REQUEST = """approval_id, kind, subject, order_no, version, role, requested_by, excluded, content, content_hash"""
COLUMNS = f"""{REQUEST}, workflow_id, state, opened_at, decided_at, decided_by, decided_role, on_behalf_of, remark,
    withdrawn_at, used_at, used_for"""
# A question; one that is known does nothing.
OPEN = f"""
INSERT INTO approvals ({REQUEST}, workflow_id, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING approval_id"""  # noqa: S608
GET = f"SELECT {COLUMNS} FROM approvals WHERE approval_id = $1"  # noqa: S608 - our own column list
LOCK = f"SELECT {COLUMNS} FROM locked_approval($1)"  # noqa: S608 - our own column list
# Through the owner's functions: no process may change a question or its answer.
DECIDE = "SELECT decide_approval($1, $2, $3, $4, $5, $6, $7)"
WITHDRAW = "SELECT withdraw_approval($1, $2)"
USE = "SELECT use_approval($1, $2, $3)"

SPEND = """
INSERT INTO used_tokens (token_id, approval_id, person_id, used_by, used_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING token_id"""
TOKEN = "SELECT approval_id, person_id, used_by FROM used_tokens WHERE token_id = $1"  # noqa: S105

# Oldest first: who waits longest is looked at first.
LIST = f"""
SELECT {COLUMNS} FROM approvals
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR order_no = $2) AND ($3::text IS NULL OR subject = $3)
ORDER BY opened_at, approval_id LIMIT $4"""  # noqa: S608


@dataclass(frozen=True)
class Approval:
    """A question with what became of it. `workflow_id` None: nobody waits; the answer is looked up here."""

    request: ApprovalRequest
    workflow_id: str | None
    state: State
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decided_role: str | None
    on_behalf_of: str | None
    remark: str | None
    withdrawn_at: datetime | None
    used_at: datetime | None
    used_for: str | None

    def decided(self) -> Decided | None:
        """None while it is open, or when it was withdrawn."""
        if self.state not in ("approved", "rejected"):
            return None
        assert self.decided_by and self.decided_role and self.remark and self.decided_at
        return Decided(
            approval_id=self.request.approval_id,
            decision="approve" if self.state == "approved" else "reject",
            person_id=self.decided_by,
            role=Role(self.decided_role),
            on_behalf_of=self.on_behalf_of,
            remark=self.remark,
            at=self.decided_at,
            content_hash=self.request.content_hash,
        )


class ApprovalStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def open(self, request: ApprovalRequest, workflow_id: str | None, at: datetime) -> bool:
        """False: it is there already. Raises `ApprovalChanged` when it was asked with other content."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await open_approval(connection, request, workflow_id, at)

    async def get(self, approval_id: str) -> Approval | None:
        async with self._pool.acquire() as connection:
            return await read_approval(connection, clean(approval_id))

    async def list(
        self, *, state: State | None = "open", order_no: str | None = None, subject: str | None = None, limit: int = 100
    ) -> tuple[Approval, ...]:
        """Oldest first."""
        return tuple(read_row(row) for row in await self._pool.fetch(LIST, state, order_no, subject, limit))

    async def asked_so_far(self, subject: str) -> int:
        """How many questions there ever were about it."""
        found: int = await self._pool.fetchval("SELECT count(*) FROM approvals WHERE subject = $1", subject)
        return found

    async def decide(
        self, decision: Decision, identity: Identity, used_by: str, at: datetime, workflow_id: str | None = None
    ) -> Decided:
        """`used_by`: the one request that brings this token; the same again gets the same answer (a retry).
        `workflow_id`: who hears the answer; it must be who waits for it.

        Raises `DecisionRefused`; its audit row has been committed by then.
        """
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                return await _decide(connection, decision, identity, used_by, at, workflow_id)
        except DecisionRefused as error:
            refused = error
        except UniqueViolationError:
            why = f"what {decision.approval_id} asks for has been approved before; look with `oms approve list`"
            refused = DecisionRefused(RefusalCode.ALREADY_DECIDED, why)
        await self.note_refusal(decision.approval_id, refused, identity.person_id, at)
        raise refused

    async def decided_by(self, decision: Decision, identity: Identity, used_by: str) -> Decided | None:
        """What this very request has decided before. None: nothing."""
        spent = await self._pool.fetchrow(TOKEN, identity.token_id)
        mine = spent is not None and (spent["used_by"], spent["approval_id"]) == (used_by, decision.approval_id)
        known = await self.get(decision.approval_id) if mine else None
        return known.decided() if known else None

    async def withdraw(self, approval_id: str, by: str, why: str, at: datetime) -> bool:
        """An open question is no longer asked; withdrawn again it stays so, for who never got the answer. False: it was
        decided, or never asked."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(LOCK, approval_id)
            if row is None or row["state"] != "open":
                return row is not None and row["state"] == "withdrawn"
            await connection.execute(WITHDRAW, approval_id, at)
            request = read_row(row).request
            await append_entry(connection, _entry(by, "approval.withdraw", request, why=why), at, request.order_no)
        return True

    async def still_valid(self, approval_id: str, content_hash: str, at: datetime) -> Decided:
        """Looks, at execution, whether the decision still stands. Raises `DecisionRefused`."""
        return await self._at_execution(approval_id, content_hash, None, at)

    async def use(self, approval_id: str, content_hash: str, used_for: str, at: datetime) -> Decided:
        """As `still_valid`, and spends it: for `used_for` as often as asked, for nothing else. Raises
        `DecisionRefused`."""
        return await self._at_execution(approval_id, content_hash, used_for, at)

    async def _at_execution(self, approval_id: str, content_hash: str, used_for: str | None, at: datetime) -> Decided:
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                return await spend_approval(connection, approval_id, content_hash, used_for, at)
        except DecisionRefused as refused:
            await self.note_refusal(approval_id, refused, "system", at)
            raise

    async def note_refusal(self, approval_id: str, refused: DecisionRefused, actor: str, at: datetime) -> None:
        """The audit row of a refusal, in a transaction of its own. `actor`: who it is known to be, or "unverified"."""
        async with self._pool.acquire() as connection:
            known = await read_approval(connection, clean(approval_id))
            detail = {"approval_id": clean(approval_id)[:100], "code": refused.code, "why": clean(refused.why)[:300]}
            entry = AuditEntry(actor=actor, action="approval.refused", detail=detail)
            await append_entry(connection, entry, at, known.request.order_no if known else None)


async def open_approval(
    connection: Connection, request: ApprovalRequest, workflow_id: str | None, at: datetime
) -> bool:
    """`ApprovalStore.open`, inside a transaction."""
    r = request
    args = (r.approval_id, r.kind, r.subject, r.order_no, r.version, r.role, r.requested_by, list(r.excluded))
    opened = await connection.fetchval(OPEN, *args, r.content, r.content_hash, workflow_id, at)
    if opened is None:
        known = await read_approval(connection, r.approval_id)
        if known is None or known.request != r or known.workflow_id != workflow_id:
            raise ApprovalChanged(r.approval_id)
        return False
    detail = {"approval_id": r.approval_id, "kind": r.kind, "role": r.role, "content_hash": r.content_hash}
    await append_entry(connection, _entry(r.requested_by, "approval.open", r, **detail), at, r.order_no)
    return True


async def spend_approval(
    connection: Connection, approval_id: str, content_hash: str, used_for: str | None, at: datetime
) -> Decided:
    """Inside the transaction of what it allows. `used_for` None: only looks. Raises `DecisionRefused`."""
    row = await connection.fetchrow(LOCK, clean(approval_id))
    decided = await _stands(connection, approval_id, row, content_hash, used_for)
    if used_for is not None and row is not None and row["used_at"] is None:
        await connection.execute(USE, approval_id, at, used_for)
        request = read_row(row).request
        entry = _entry(decided.person_id, "approval.use", request, used_for=used_for)
        await append_entry(connection, entry, at, request.order_no)
    return decided


async def _decide(
    connection: Connection,
    decision: Decision,
    identity: Identity,
    used_by: str,
    at: datetime,
    workflow_id: str | None,
) -> Decided:
    row = await connection.fetchrow(LOCK, decision.approval_id)
    if row is None or row["workflow_id"] != workflow_id:
        where = workflow_id or "no workflow"
        raise DecisionRefused(RefusalCode.UNKNOWN_APPROVAL, f"{where} has not asked for {decision.approval_id}")
    approval = read_row(row)
    request = approval.request
    spent = await connection.fetchrow(TOKEN, identity.token_id)
    if spent is not None:
        decided = approval.decided()
        if spent["used_by"] == used_by and spent["approval_id"] == request.approval_id and decided is not None:
            return decided
        raise DecisionRefused(RefusalCode.TOKEN_REPLAYED, "this token has decided before; get a new one")
    check_binding(request, decision, identity)
    await keep_identity(connection, identity, at)
    person = await principal(connection, identity.person_id, at)
    if person is None:
        raise DecisionRefused(RefusalCode.PERSON_INACTIVE, f"{identity.person_id} is not known here")
    verdict = may_decide(request, person, at)
    if not isinstance(verdict, Allowed):
        raise DecisionRefused(verdict.code, verdict.why)
    if approval.state != "open":
        raise already_decided(request.approval_id, approval.state, approval.decided())
    state = "approved" if decision.decision == "approve" else "rejected"
    remark = clean(decision.remark.strip())
    args = (identity.person_id, verdict.role, verdict.on_behalf_of, remark)
    await connection.execute(DECIDE, request.approval_id, state, at, *args)
    spending = (identity.token_id, request.approval_id, identity.person_id, used_by, at)
    if await connection.fetchval(SPEND, *spending) is None:
        raise DecisionRefused(RefusalCode.TOKEN_REPLAYED, "this token is deciding elsewhere; get a new one")
    detail = {"remark": remark, "role": verdict.role, "content_hash": request.content_hash}
    if verdict.on_behalf_of:
        detail["on_behalf_of"] = verdict.on_behalf_of
    entry = _entry(identity.person_id, f"approval.{decision.decision}", request, **detail)
    await append_entry(connection, entry, at, request.order_no)
    done = await read_approval(connection, request.approval_id)
    decided = done.decided() if done else None
    assert decided is not None
    return decided


async def _stands(
    connection: Connection, approval_id: str, row: Row | None, content_hash: str, used_for: str | None
) -> Decided:
    if row is None:
        raise DecisionRefused(RefusalCode.UNKNOWN_APPROVAL, f"there is no approval {approval_id}")
    approval = read_row(row)
    if approval.request.content_hash != content_hash:
        why = f"approval {approval_id} is of other content; what is to be done now needs an approval of its own"
        raise DecisionRefused(RefusalCode.HASH_MISMATCH, why)
    decided = approval.decided()
    if decided is None or not decided.approved:
        raise DecisionRefused(RefusalCode.NOT_APPROVED, f"approval {approval_id} is {approval.state}")
    if approval.used_for is not None:
        if approval.used_for == used_for:
            return decided
        why = f"approval {approval_id} has been used for {approval.used_for}; ask for a new one"
        raise DecisionRefused(RefusalCode.APPROVAL_USED, why)
    for person in filter(None, (decided.person_id, decided.on_behalf_of)):
        if not await connection.fetchval(PERSON, person):
            why = f"{person}, who has approved {approval_id}, is deactivated; ask for a new approval"
            raise DecisionRefused(RefusalCode.PERSON_INACTIVE, why)
    holder = decided.on_behalf_of or decided.person_id
    if decided.role not in await roles_of(connection, holder):
        why = f"{holder} no longer holds {decided.role}, in which {approval_id} was approved; ask for a new approval"
        raise DecisionRefused(RefusalCode.WRONG_ROLE, why)
    return decided


async def read_approval(connection: Connection, approval_id: str) -> Approval | None:
    row = await connection.fetchrow(GET, approval_id)
    return None if row is None else read_row(row)


def read_row(row: Row | Mapping[str, Any]) -> Approval:
    values: Mapping[str, Any] = dict(row)
    names = [name.strip() for name in REQUEST.split(",")]
    request = of(ApprovalRequest, json.loads(json.dumps({name: values[name] for name in names})))
    return Approval(request=request, **{name: value for name, value in values.items() if name not in names})


def _entry(actor: str, action: str, request: ApprovalRequest, **detail: object) -> AuditEntry:
    told = {"approval_id": request.approval_id, "kind": request.kind, "subject": request.subject, **detail}
    return AuditEntry(actor=actor, action=action, detail=told)
