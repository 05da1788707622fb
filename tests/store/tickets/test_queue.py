"""Tickets as a queue of work: order, hands, history, and growing louder when left alone."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from pydantic import ValidationError

from domain.records import TicketRecord, TicketResolution
from domain.tickets import Escalation
from store.audit.audit import AuditStore
from store.errors import NoSuchTicket
from store.pool import Pool
from store.tickets.escalating import EscalationStore
from store.tickets.queue import Owned, Sort, TicketQueue, Wanted
from store.tickets.tickets import TicketStore
from tests.store.examples import NOW

RULES = Escalation(info_after_s=None, normal_after_s=600, urgent_after_s=300, groups=("desk", "lead", "duty"))


def a_ticket(number: str, **changes: object) -> TicketRecord:
    record = TicketRecord(ticket_id=number, system="wms", step="push outbound", error="HTTP 503")
    return record.model_copy(update=changes)


async def opened(pool: Pool, number: str, after_s: int = 0, **changes: object) -> None:
    await TicketStore(pool).open_outside(a_ticket(number, **changes), None, NOW + timedelta(seconds=after_s))


async def ids(pool: Pool, sort: Sort = Sort.SEVERITY, **wanted: object) -> list[str]:
    return [t.ticket_id for t in await TicketQueue(pool).list(Wanted(**wanted), sort)]  # type: ignore[arg-type]


async def test_the_queue_shows_the_loudest_first_and_of_these_the_oldest(pool: Pool) -> None:
    for n, severity in enumerate(("info", "normal", "urgent", "normal", "urgent")):
        await opened(pool, f"T-{n}", n, severity=severity, system="wms" if n % 2 else "carrier")
    assert await ids(pool) == ["T-2", "T-4", "T-1", "T-3", "T-0"]
    assert await ids(pool, Sort.AGE) == ["T-0", "T-1", "T-2", "T-3", "T-4"]
    assert await ids(pool, Sort.NEWEST) == ["T-4", "T-3", "T-2", "T-1", "T-0"]
    assert await ids(pool, Sort.SYSTEM) == ["T-2", "T-4", "T-0", "T-1", "T-3"]
    assert await ids(pool, system="wms", opened_before=NOW + timedelta(seconds=1)) == ["T-1"]


async def test_a_ticket_is_taken_by_one_of_many_hands(pool: Pool) -> None:
    await opened(pool, "T-1")
    queue = TicketQueue(pool)
    people = [f"p{n}" for n in range(6)]
    answers = await asyncio.gather(*(queue.take("T-1", p, NOW) for p in people), return_exceptions=True)
    assert [type(a) for a in answers].count(Owned) == 5
    (owner,) = [p for p, a in zip(people, answers, strict=True) if a is None]
    assert await ids(pool, owner=owner) == ["T-1"] and await ids(pool, unowned=True) == []


async def test_every_change_of_hands_is_kept_and_audited(pool: Pool) -> None:
    await opened(pool, "T-1")
    queue = TicketQueue(pool)
    await queue.take("T-1", "li", NOW)
    await queue.take("T-1", "li", NOW)
    await queue.assign("T-1", "wang", "zhao", NOW + timedelta(seconds=1))
    await queue.release("T-1", "wang", NOW + timedelta(seconds=2))
    with pytest.raises(NoSuchTicket):
        await queue.release("T-1", "wang", NOW)
    assert [(m.actor, m.action) for m in await queue.history("T-1")] == [
        ("li", "take"), ("zhao", "assign"), ("wang", "release"),
    ]  # fmt: skip
    told = await AuditStore(pool).list()
    assert [(a.actor, a.action) for a in reversed(told)] == [
        ("li", "ticket.take"), ("zhao", "ticket.assign"), ("wang", "ticket.release"),
    ]  # fmt: skip


async def test_only_an_open_ticket_changes_hands(pool: Pool) -> None:
    await opened(pool, "T-1")
    answer = TicketResolution(ticket_id="T-1", action="give_up", remark="done by hand", resolved_by="ops")
    await TicketStore(pool).resolve_outside(answer, NOW)
    for change in (TicketQueue(pool).take("T-1", "li", NOW), TicketQueue(pool).assign("T-1", "li", "wu", NOW)):
        with pytest.raises(NoSuchTicket):
            await change


async def test_nobody_answers_a_ticket_without_saying_why(pool: Pool) -> None:
    with pytest.raises(ValidationError):
        TicketResolution(ticket_id="T-1", action="give_up", remark=" \t", resolved_by="ops")
    await opened(pool, "T-1")
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(
            "UPDATE tickets SET (state, resolved_at, resolved_by, action, remark)"
            " = ('resolved', now(), 'ops', 'retry', ' ')"
        )


async def severities(pool: Pool) -> list[tuple[str, int]]:
    return [(t.severity, t.level) for t in await TicketQueue(pool).list(Wanted(), Sort.AGE)]


async def test_a_ticket_left_alone_grows_louder_until_there_is_nobody_left_to_tell(pool: Pool) -> None:
    await opened(pool, "T-1")
    watch = EscalationStore(pool)
    assert await watch.escalate(RULES, NOW + timedelta(seconds=599)) == ()
    told = []
    for second in (600, 601, 899, 900, 1_200, 9_999):
        told += [(second, r.group) for r in await watch.escalate(RULES, NOW + timedelta(seconds=second))]
    assert told == [(600, "lead"), (900, "duty")]
    assert await severities(pool) == [("urgent", 2)]
    assert [(m.action, m.detail["to"]) for m in await TicketQueue(pool).history("T-1")] == [("escalate", "urgent")] * 2
    assert [a.action for a in await AuditStore(pool).list()] == ["ticket.escalate"] * 2


async def test_many_watches_raise_a_ticket_once(pool: Pool) -> None:
    for n in range(5):
        await opened(pool, f"T-{n}")
    at = NOW + timedelta(seconds=600)
    raised = await asyncio.gather(*(EscalationStore(pool).escalate(RULES, at) for _ in range(6)))
    assert sorted(r.ticket_id for some in raised for r in some) == [f"T-{n}" for n in range(5)]


async def test_who_takes_a_ticket_has_its_whole_age_again(pool: Pool) -> None:
    await opened(pool, "T-1")
    await TicketQueue(pool).take("T-1", "li", NOW + timedelta(seconds=500))
    assert await EscalationStore(pool).escalate(RULES, NOW + timedelta(seconds=1_099)) == ()
    (raised,) = await EscalationStore(pool).escalate(RULES, NOW + timedelta(seconds=1_100))
    assert (raised.was, raised.severity) == ("normal", "urgent")


async def test_a_severity_without_an_age_may_lie(pool: Pool) -> None:
    await opened(pool, "T-1", severity="info")
    assert await EscalationStore(pool).escalate(RULES, NOW + timedelta(days=400)) == ()


async def test_the_standing_tells_how_many_are_open_and_since_when(pool: Pool) -> None:
    await opened(pool, "T-1")
    await opened(pool, "T-2", 60)
    await TicketQueue(pool).take("T-1", "li", NOW)
    (normal,) = await EscalationStore(pool).standing()
    assert (normal.severity, normal.open, normal.unowned, normal.oldest) == ("normal", 2, 1, NOW)
