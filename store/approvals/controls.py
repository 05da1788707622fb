"""Changes of the controls: asked as a question about one exact change, made in the transaction that spends the answer.

What is done is read out of the approval: nobody can have another change made than the one that was seen.
"""

import json
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from domain.access.authority import AUTHORITY
from domain.access.callback_sources import SetSource, lets_in
from domain.access.controls import (
    MADE_WITHIN,
    AddApiToken,
    AddPerson,
    ControlChange,
    CorrectStock,
    DelegateRoles,
    EndDelegation,
    ForgetBuyer,
    PeopleChange,
    PublishAutomations,
    PublishForms,
    PublishPolicy,
    PublishRules,
    RevokeApiToken,
    SetActive,
    SetRole,
    SetScope,
    approval_kind,
    at_once,
    authority_row,
    concerned,
    more_power,
    subject_of,
)
from domain.approvals import ApprovalRequest, Role, ask
from domain.records import AuditEntry, TicketRecord, TicketResolution
from domain.returns.windows import SHOP_TIME
from store.approvals.api_tokens import add_api_token, revoke_api_token
from store.approvals.approvals import ApprovalStore, open_approval, read_approval, spend_approval
from store.approvals.at_once import done_at_once, keep_at_once
from store.approvals.control_question import ControlQuestion
from store.approvals.people import (
    ONE_AT_A_TIME,
    active_holders,
    add_person,
    delegate_roles,
    end_delegation,
    insist_known,
    principal,
    roles_of,
    set_active,
    set_role,
    set_scope,
)
from store.audit.audit import append_entry
from store.automation.question import book_question, make_book
from store.erasure import begin_erasure, what_is_theirs
from store.errors import ApprovalChanged, ChangeExpired, ChangeRefused, PersonRefused, StoreError
from store.inbox.inbox import InboxStore
from store.inbox.sources import set_source
from store.pool import Connection, Pool
from store.rules.policies import publish_policy
from store.rules.policy_publishing import policy_question
from store.rules.publishing import rules_question
from store.rules.rule_sets import publish_draft, read_draft
from store.stock.corrections import correct, counted
from store.stock.goods_receipts import announce
from store.stock.ledger import StockStore
from store.tickets.tickets import open_ticket, resolve_ticket

_CHANGE: TypeAdapter[ControlChange] = TypeAdapter(ControlChange)
GOES = "姓名、电话、地址、备注、图片和历史永久删除 / names, phones, addresses, remarks, pictures, histories go for ever"
ERASES = "what names the buyer goes from "
SYSTEM, STEP = "approvals", "change of the controls"


class ControlStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ask(
        self, change: ControlChange, n: int, by: str, workflow_id: str, at: datetime
    ) -> ApprovalRequest | None:
        """The question to another person, in the books with a ticket that tells the approvers. None: it was done at
        once, since it only takes power away. Asked again by the same workflow it is the same question.

        Raises `StoreError` for a change that cannot be made; nothing was changed.
        """
        number = f"A-{subject_of(change)}-{n}"
        async with self._pool.acquire() as connection, connection.transaction():
            known = await read_approval(connection, number)
            if known is not None:
                if known.workflow_id != workflow_id or known.request.content.get("change") != _plain(change):
                    raise ApprovalChanged(number)
                return known.request
            if at_once(change) and not await _is_administrator(connection, change):
                if not await done_at_once(connection, number, _plain(change), by):
                    await _make(connection, change, by, at)
                    await keep_at_once(connection, number, _plain(change), by, at)
                return None
            question = await _question(connection, change, by, at)
            request = ask(
                approval_kind(change), subject=subject_of(change), n=n, version=n, role=question.role,
                requested_by=by, excluded=(*concerned(change), *question.excluded),
                content={"looser": list(question.looser), **question.content, "change": _plain(change)},
            )  # fmt: skip
            await open_approval(connection, request, workflow_id, at)
            await _tell(connection, request, at)
            return request

    async def done_before(self, change: ControlChange, n: int, by: str) -> bool:
        """One that takes power away, by the same person under the same number. Raises `ApprovalChanged` for another
        under that number."""
        async with self._pool.acquire() as connection:
            return await done_at_once(connection, f"A-{subject_of(change)}-{n}", _plain(change), by)

    async def expire(self, approval_id: str, at: datetime) -> None:
        """Of a question that nobody has decided, or a change that was not made in time: told once."""
        async with self._pool.acquire() as connection, connection.transaction():
            approval = await read_approval(connection, approval_id)
            assert approval is not None
            r = approval.request
            what = "nobody has decided it" if approval.decided() is None else "it was not made in time"
            ticket = TicketRecord(
                ticket_id=f"{_ticket(approval_id)}-expired", system=SYSTEM, step="expired", severity="normal",
                error=f"{approval_id}: what {r.requested_by} asked about {r.subject} has expired, {what}; ask again",
                actions=("give_up",), give_up_means="it stays as it was",
            )  # fmt: skip
            if await open_ticket(connection, ticket, None, at, outside=True):
                detail = {"approval_id": approval_id, "subject": r.subject, "why": what}
                entry = AuditEntry(actor="system", action="controls.expired", detail=detail)
                await append_entry(connection, entry, at)

    async def make(self, approval_id: str, at: datetime) -> str:
        """Carries out what was approved, once. The answer says what was done. Raises `StoreError` when it cannot be
        made any more, its audit row written; nothing was changed."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                done = await _carry_out(connection, approval_id, at)
        except StoreError as error:
            await self._note(approval_id, str(error), at)
            raise
        await self._announce(approval_id, at)
        return done

    async def _announce(self, approval_id: str, at: datetime) -> None:
        """Goods that a count has found: parcels wait for them. Told once, however often this is done."""
        approval = await ApprovalStore(self._pool).get(approval_id)
        if approval is None or approval.request.kind != "correct_stock" or approval.request.content["delta"] < 0:
            return
        change = _CHANGE.validate_json(json.dumps(approval.request.content["change"]))
        assert isinstance(change, CorrectStock)
        await announce(StockStore(self._pool), InboxStore(self._pool), change.sku, change.warehouse, approval_id, at)

    async def over(self, approval_id: str, at: datetime) -> None:
        """The question is answered: nobody has to be told any more."""
        async with self._pool.acquire() as connection, connection.transaction():
            approval = await read_approval(connection, approval_id)
            if approval is not None:
                said = f"{approval_id} is {approval.state}"
                resolution = TicketResolution(
                    ticket_id=_ticket(approval_id), action="evidence", remark=said,
                    resolved_by=approval.decided_by or "system",
                )  # fmt: skip
                await resolve_ticket(connection, resolution, at, outside=True)

    async def _note(self, approval_id: str, why: str, at: datetime) -> None:
        approval = await ApprovalStore(self._pool).get(approval_id)
        async with self._pool.acquire() as connection:
            subject = approval.request.subject if approval else ""
            detail = {"approval_id": approval_id, "subject": subject, "why": why[:300]}
            await append_entry(connection, AuditEntry(actor="system", action="controls.not_changed", detail=detail), at)


async def _carry_out(connection: Connection, approval_id: str, at: datetime) -> str:  # noqa: PLR0911 - kinds
    approval = await read_approval(connection, approval_id)
    if approval is None:
        raise ChangeRefused(f"there is no approval {approval_id}; nothing was changed")
    request = approval.request
    if approval.used_for is not None:
        return f"{approval_id} has been carried out"
    change = _CHANGE.validate_json(json.dumps(request.content["change"]))
    if (approval_kind(change), subject_of(change)) != (request.kind, request.subject):
        raise ChangeRefused(f"{approval_id} is no approval of such a change; nothing was changed")
    if approval.decided_at is not None and at > approval.decided_at + MADE_WITHIN:
        when = f"{approval.decided_at:%Y-%m-%d %H:%M} UTC"
        raise ChangeExpired(f"{approval_id} was decided at {when}, too long ago; ask again")
    await connection.execute(ONE_AT_A_TIME)
    used_for = f"controls/{request.subject}"
    decided = await spend_approval(connection, approval_id, request.content_hash, used_for, at)
    await _insist_on_asker(connection, change, request.requested_by, at)
    match change:
        case PublishPolicy():
            told = {"approval_id": approval_id, "asked_by": request.requested_by}
            based_on = int(request.content["based_on"])
            new = await publish_policy(connection, change.policy, decided.person_id, based_on, told, change.draft_no)
            return f"policy version {new.version} counts for orders placed since {_shop_time(at)}"
        case CorrectStock():
            people = (request.requested_by, decided.person_id)
            await correct(connection, change, int(request.content["delta"]), approval_id, people, at)
            return f"{change.sku} in {change.warehouse} is corrected by {request.content['delta']}"
        case ForgetBuyer():
            await what_is_theirs(connection, change.buyer_id)
            await begin_erasure(connection, approval_id, at)
            return f"{ERASES}{request.content['orders']} orders and {request.content['returns']} returns"
        case PublishAutomations() | PublishForms():
            version = await make_book(connection, change, request, decided.person_id, at)
            return f"{request.subject} version {version} counts from now on"
        case PublishRules():
            version = await publish_draft(connection, await read_draft(connection, change.draft_no), decided, at)
            return f"rule set version {version} counts for orders placed since {_shop_time(at)}"
        case _:
            await _make(connection, change, request.requested_by, at, decided.person_id)
            return f"{request.subject} is changed, as {decided.person_id} approved"


async def _insist_on_asker(connection: Connection, change: ControlChange, by: str, at: datetime) -> None:
    """Two people stand behind a change when it is made: who asked may have gone since. So two administrators always
    stay, for neither of the two is the one whom it is about."""
    asker = await principal(connection, by, at)
    may = AUTHORITY[authority_row(change)].roles
    if asker is None or not asker.active or not asker.roles & set(may):
        raise ChangeRefused(f"{by}, who has asked for it, is deactivated or holds none of {', '.join(may)} by now")


async def _make(
    connection: Connection, change: ControlChange, by: str, at: datetime, approved_by: str | None = None
) -> None:
    match change:
        case AddPerson():
            await add_person(connection, change.person_id, change.roles, by, at)
        case SetRole():
            await set_role(connection, change.person_id, change.role, change.held, by, at)
        case SetActive():
            await set_active(connection, change.person_id, change.active, by, at)
        case DelegateRoles():
            await delegate_roles(connection, change.delegator, change.delegate, change.until, by, at)
        case EndDelegation():
            if not await end_delegation(connection, change.delegator, change.delegate, by, at):
                raise PersonRefused(f"{change.delegate} does not stand in for {change.delegator}: `oms people list`")
        case AddApiToken():
            await add_api_token(connection, change, by, at)
        case RevokeApiToken():
            await revoke_api_token(connection, change, by, at)
        case SetSource():
            await set_source(connection, change, by, approved_by, at)
        case SetScope():
            await set_scope(connection, change.person_id, change.channels, change.warehouses, by, at)
        case _:
            raise AssertionError("policies and rules have their own way")


async def _question(  # noqa: PLR0911 - kinds
    connection: Connection, change: ControlChange, by: str, at: datetime
) -> ControlQuestion:
    match change:
        case PublishPolicy():
            policy = await policy_question(connection, change)
            return ControlQuestion(Role.FINANCE, policy.content, policy.looser, (policy.drafted_by,))
        case CorrectStock():
            return ControlQuestion(Role.ORDER_OPS, dict(vars(await counted(connection, change))), ())
        case SetSource():
            return await _about_source(connection, change, at)
        case ForgetBuyer():
            found = await what_is_theirs(connection, change.buyer_id)
            return ControlQuestion(Role.ADMIN, found, [GOES])
        case PublishRules():
            rules = await rules_question(connection, await read_draft(connection, change.draft_no))
            return ControlQuestion(rules.role, rules.content, rules.looser, (rules.drafted_by,))
        case PublishAutomations() | PublishForms():
            return await book_question(connection, change, at)
        case _:
            return await _about_people(connection, change, by, at)


async def _about_source(connection: Connection, change: SetSource, at: datetime) -> ControlQuestion:
    """Tried in a transaction that is taken back."""
    trial = connection.transaction()
    await trial.start()
    try:
        await set_source(connection, change, "who asks", "who decides", at)
    finally:
        await trial.rollback()
    return ControlQuestion(Role.ADMIN, {"source": change.source}, lets_in(change))


async def _about_people(connection: Connection, change: PeopleChange, by: str, at: datetime) -> ControlQuestion:
    """Tried in a transaction that is taken back: what cannot be done is not asked for."""
    trial = connection.transaction()
    await trial.start()
    try:
        await _make(connection, change, by, at)
    finally:
        await trial.rollback()
    if not isinstance(change, AddPerson | AddApiToken):
        await insist_known(connection, concerned(change)[0])
    held = await roles_of(connection, concerned(change)[0])
    if isinstance(change, AddPerson) and held and set(change.roles) <= held:
        raise PersonRefused(f"{change.person_id} is known and holds {', '.join(sorted(held))}; nothing was asked")
    return ControlQuestion(Role.ADMIN, {"held_now": sorted(held)}, more_power(change, held))


async def _is_administrator(connection: Connection, change: ControlChange) -> bool:
    """One administrator who deactivates the others would be alone."""
    await connection.execute(ONE_AT_A_TIME)
    return isinstance(change, SetActive) and change.person_id in await active_holders(connection, Role.ADMIN)


async def _tell(connection: Connection, request: ApprovalRequest, at: datetime) -> None:
    """A ticket, with its notice: whoever may decide hears of it at once, and louder when nobody does."""
    out = {request.requested_by, *request.excluded}
    may = [person for person in await active_holders(connection, request.role) if person not in out]
    text = (
        f"{request.approval_id}: {request.requested_by} asks {request.role} ({', '.join(may[:20]) or 'none known yet'})"
        f" about {request.subject}; look and decide with `oms approve show {request.approval_id}`"
    )
    ticket = TicketRecord(
        ticket_id=_ticket(request.approval_id), system=SYSTEM, step=STEP, error=text, actions=("give_up",),
        give_up_means="the question stays open: nothing approves by itself",
    )  # fmt: skip
    await open_ticket(connection, ticket, None, at, outside=True)


def _shop_time(at: datetime) -> str:
    return f"{at.astimezone(SHOP_TIME):%Y-%m-%d %H:%M:%S} ({SHOP_TIME.key})"


def _ticket(approval_id: str) -> str:
    return f"T-{approval_id}"


def _plain(change: ControlChange) -> dict[str, Any]:
    plain: dict[str, Any] = _CHANGE.dump_python(change, mode="json")
    return plain
