"""What an automation does, inside the transaction of its claim: with it, or not at all. What an order's workflow has to
do is told it through the inbox, like everything that it hears."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime

from domain.approvals import ask
from domain.automation.acts import BY, SOURCE, Asked, HoldAct, OrderAct, ReleaseAct
from domain.automation.model import (
    ON_ORDERS,
    ApprovalAct,
    AssignAct,
    Automation,
    NoteAct,
    NotifyAct,
    RefreshAct,
    TagAct,
    WebhookAct,
)
from domain.facts import Fact, Kind
from domain.outbound.published import AutomationFired
from domain.records import TicketRecord
from store.approvals.approvals import open_approval
from store.automation.happenings import Happening
from store.inbox.intake import Incoming, add_many
from store.outbox import publish_automation
from store.pool import Connection
from store.tickets.queue import hand_over
from store.tickets.tickets import open_ticket

MARK = """
INSERT INTO order_marks (order_no, kind, text, marked_by, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"""
# Where the provider's own limit allows it later, its turn comes then.
ASK_NOW = "UPDATE pull_queue SET due_at = $2 WHERE order_no = $1 AND due_at > $2"
ACTIVE = "SELECT EXISTS (SELECT FROM people WHERE person_id = $1 AND active)"


async def act(connection: Connection, one: Automation, what: Happening, at: datetime) -> tuple[str, str]:
    """The state that the run is in then, and what is to be said of it."""
    do, by = one.do, BY + one.id
    if isinstance(do, ON_ORDERS):
        await tell_order(connection, one.id, what.order_no, do, at)
        return "done", "the order was told"
    return await _ACTS[type(do)](connection, one, what, by, at)


async def tell_order(
    connection: Connection, automation_id: str, order_no: str, do: OrderAct, at: datetime, again: str = ""
) -> None:
    """Once under its key, whoever tells it. `again`: another thing that the same one wants of the same order."""
    key = fact_key(automation_id, order_no) + again
    asked = Asked(automation=automation_id, do=do)
    body = asked.model_dump_json().encode()
    fact = Fact(key=key, kind=Kind.AUTOMATION, source=SOURCE, occurred_at=at, order_no=order_no, asked=asked)
    message = Incoming(SOURCE, key, fact.kind, hashlib.sha256(body).digest(), body, (fact,), at, via="query")
    await add_many(connection, [message])


def fact_key(automation_id: str, order_no: str) -> str:
    return f"{BY}{automation_id}:{order_no}"


async def tell_team(
    connection: Connection, number: str, one: Automation, order_no: str | None, child_no: str | None, text: str,
    at: datetime, *, urgent: bool = False,
) -> None:  # fmt: skip
    severity = one.do.severity if isinstance(one.do, NotifyAct) else "urgent" if urgent else "normal"
    ticket = TicketRecord(
        ticket_id=number, child_no=child_no, system=SOURCE, step=one.id, error=text[:500], actions=("give_up",),
        severity=severity, give_up_means="somebody has seen to it",
    )  # fmt: skip
    await open_ticket(connection, ticket, order_no, at, outside=True)


async def _mark(connection: Connection, one: Automation, what: Happening, by: str, at: datetime) -> tuple[str, str]:
    assert isinstance(one.do, TagAct | NoteAct)
    text = one.do.tag if isinstance(one.do, TagAct) else one.do.text
    await connection.execute(MARK, what.order_no, one.do.act, text, by, at)
    return "done", text


async def _assign(connection: Connection, one: Automation, what: Happening, by: str, at: datetime) -> tuple[str, str]:
    assert isinstance(one.do, AssignAct)
    if not await connection.fetchval(ACTIVE, one.do.owner):
        return "not_done", f"{one.do.owner} is not known, or deactivated"
    given = await hand_over(connection, what.ref, one.do.owner, by, at)
    return ("done", one.do.owner) if given else ("not_done", f"ticket {what.ref} is not open any more")


async def _notify(connection: Connection, one: Automation, what: Happening, by: str, at: datetime) -> tuple[str, str]:
    assert isinstance(one.do, NotifyAct)
    number = f"T-auto-{one.id}-{what.order_no}"
    await tell_team(connection, number, one, what.order_no, what.child_no, f"{one.name}: {one.do.text}", at)
    return "done", number


async def _webhook(connection: Connection, one: Automation, what: Happening, by: str, at: datetime) -> tuple[str, str]:
    data = AutomationFired(
        order_no=what.order_no, seq=0, automation=one.id, trigger=what.trigger.value, child_no=what.child_no
    )
    await publish_automation(connection, data, at)
    return "done", "told to whoever subscribes"


async def _approval(connection: Connection, one: Automation, what: Happening, by: str, at: datetime) -> tuple[str, str]:
    assert isinstance(one.do, ApprovalAct)
    await tell_order(connection, one.id, what.order_no, HoldAct(kind=one.do.kind, reason=one.do.question), at)
    request = ask(
        "automation", subject=f"{SOURCE}/{one.id}/{what.order_no}", n=1, version=1, role=one.do.role, requested_by=by,
        content={"question": one.do.question, "automation": one.name, "happened": what.trigger.value},
        order_no=what.order_no,
    )  # fmt: skip
    await open_approval(connection, request, None, at)
    return "asked", request.approval_id


async def _refresh(connection: Connection, one: Automation, what: Happening, by: str, at: datetime) -> tuple[str, str]:
    done = await connection.execute(ASK_NOW, what.order_no, at)
    return "done", f"{done.rsplit(' ', 1)[-1]} questions come next"


async def answered(
    connection: Connection, one: Automation, order_no: str, *, agreed: bool, said: str, at: datetime
) -> str:
    """Of `ApprovalAct`, once somebody has decided."""
    if agreed:
        release = ReleaseAct(of=one.id, reason=f"agreed: {said}"[:200])
        await tell_order(connection, one.id, order_no, release, at, again=":agreed")
        return f"agreed: {said}"
    text = f"{one.name}: not agreed ({said}); the order is held until somebody releases or cancels it"
    await tell_team(connection, f"T-auto-{one.id}-{order_no}", one, order_no, None, text, at, urgent=True)
    return f"not agreed: {said}"


_Does = Callable[[Connection, Automation, Happening, str, datetime], Awaitable[tuple[str, str]]]
_ACTS: dict[type, _Does] = {
    TagAct: _mark, NoteAct: _mark, AssignAct: _assign, NotifyAct: _notify, WebhookAct: _webhook,
    ApprovalAct: _approval, RefreshAct: _refresh,
}  # fmt: skip
