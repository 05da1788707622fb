"""A question to people ends in one way: answered, or settled by what happened meanwhile."""

from collections.abc import Awaitable, Callable

from domain.approvals import ApprovalRequest, Role, ask
from workflows.approvals.reminders import ApprovalReminders, note_then_ticket
from workflows.durable.tickets import Tickets
from workflows.messages import ResolveTicket

Condition = Callable[[], bool]


def meanwhile(happens: Callable[[], None]) -> Callable[[Condition], Awaitable[None]]:
    """A wait during which something happens that ends it."""

    async def wait(condition: Condition) -> None:
        assert not condition()
        happens()
        assert condition()

    return wait


def answer(tickets: Tickets, action: str) -> None:
    (number,) = tickets.open_ones
    tickets.resolve(
        ResolveTicket.model_validate({"ticket_id": number, "action": action, "remark": "so be it", "by": "u1"})
    )


async def test_a_question_returns_its_answer() -> None:
    tickets = Tickets("SO-1", lambda: None)
    given = await tickets.ask("qimen", "push outbound", "down", wait=meanwhile(lambda: answer(tickets, "retry")))
    assert given is not None and given.action == "retry"
    assert not tickets.open_ones


async def test_a_question_that_is_settled_first_closes_on_that_evidence() -> None:
    tickets, arrived = Tickets("SO-1", lambda: None), set[str]()
    given = await tickets.ask(
        "catalog", "untagged SKU", "S1", settled=lambda: bool(arrived), evidence="the order was cancelled",
        wait=meanwhile(lambda: arrived.add("it")),
    )  # fmt: skip
    assert given is None
    assert [(r.action, r.remark) for r in tickets.resolved] == [("evidence", "the order was cancelled")]


def overdue() -> ApprovalRequest:
    return ask(
        "merge_shipment", subject="SO-1", n=1, version=1, role=Role.CS_SUPERVISOR, requested_by="u1",
        content={"remark": "together"}, order_no="SO-1",
    )  # fmt: skip


def test_an_overdue_approval_is_a_note_then_an_urgent_ticket_and_both_close_with_it() -> None:
    tickets = Tickets("SO-1", lambda: None)
    reminders = ApprovalReminders(tickets, note_then_ticket)
    reminders.escalate(overdue(), "reminder")
    reminders.escalate(overdue(), "escalation")
    assert [(t.step, t.severity) for t in tickets.opened] == [
        ("approval waits", "info"), ("approval escalated", "urgent"),
    ]  # fmt: skip
    reminders.over("A-SO-1-1")
    assert not tickets.open_ones


def test_a_reminder_that_a_person_closed_is_not_closed_again() -> None:
    tickets = Tickets("SO-1", lambda: None)
    reminders = ApprovalReminders(tickets, note_then_ticket)
    reminders.escalate(overdue(), "escalation")
    answer(tickets, "give_up")
    reminders.over("A-SO-1-1")
    assert [r.action for r in tickets.resolved] == ["give_up"]


def test_a_wording_may_leave_the_reminder_out() -> None:
    tickets = Tickets("SO-1", lambda: None)
    reminders = ApprovalReminders(tickets, lambda request, what: None)
    reminders.escalate(overdue(), "reminder")
    assert not tickets.opened
