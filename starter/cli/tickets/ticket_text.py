"""Tickets as a person reads them: a row of the queue, and everything about one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from domain.notices import age_of
from starter.cli import output
from starter.cli.language import happened, state
from starter.text.marking import N_
from store.tickets.queue import NoticeDelivery, TicketMove
from store.tickets.tickets import TicketRow

OPTION = {"retry": "--retry", "supply": "--result JSON", "give_up": "--give-up"}
COLUMNS = ("ticket", "severity", "age", "owner", "order", "step", "error")


def row(ticket: TicketRow, now: datetime) -> Sequence[object]:
    severity = state("severity", ticket.severity) + (f" ↑{ticket.level}" if ticket.level else "")
    ended = [] if ticket.state == "open" else [ticket.state]
    step = f"{ticket.system}: {ticket.step}"
    return (
        ticket.ticket_id, severity, " ".join([age(ticket, now), *ended]), ticket.owner,
        ticket.child_no or ticket.order_no, step, happened(ticket.error),
    )  # fmt: skip


def age(ticket: TicketRow, now: datetime) -> str:
    """Of an answered one: how long it was open."""
    return age_of((ticket.resolved_at or now) - ticket.opened_at)


def everything(ticket: TicketRow, history: Iterable[TicketMove], told: Iterable[NoticeDelivery], now: datetime) -> None:
    """One ticket on the screen."""
    is_open = ticket.state == "open"
    output.facts(
        [
            ("ticket", ticket.ticket_id),
            ("state", ticket.state),
            ("severity", state("severity", ticket.severity)),
            ("age", age(ticket, now)),
            ("owner", ticket.owner or (N_("nobody") if is_open else None)),
            ("raised", N_(f"{ticket.level} times") if ticket.level else None),
            ("order", ticket.order_no),
            ("parcel", ticket.child_no),
            ("step", f"{ticket.system}: {ticket.step}"),
            ("error", happened(ticket.error)),
            ("you can", ", ".join(OPTION[a] for a in ticket.actions) if is_open else ""),
            ("giving up means", N_(ticket.give_up_means) if is_open else ""),
        ]
    )
    output.table("History", ("at", "who", "what", ""), _story(ticket, history, told))


def _story(
    ticket: TicketRow, history: Iterable[TicketMove], told: Iterable[NoticeDelivery]
) -> list[tuple[object, ...]]:
    rows: list[tuple[datetime, str, str, str]] = [(ticket.opened_at, "", "opened", "")]
    rows += [(m.at, m.actor, m.action, _detail(m)) for m in history]
    rows += [
        (t.at, "", "notice", _counts(t)) for t in told if t.state == "addressed" and (t.sent or t.failed or t.pending)
    ]
    if ticket.resolved_at is not None:
        rows.append((ticket.resolved_at, ticket.resolved_by or "", ticket.action or "", ticket.remark or ""))
    return [tuple(r) for r in sorted(rows, key=lambda r: r[0])]


def _detail(move: TicketMove) -> str:
    d = move.detail
    if move.action == "assign":
        return f"to {d.get('to')}" + (f", from {d['from']}" if d.get("from") else "")
    if move.action == "escalate":
        return f"{d.get('from')} -> {d.get('to')}, told: {d.get('told')}"
    return ""


def _counts(told: NoticeDelivery) -> str:
    parts = ((told.sent, "sent"), (told.failed, "failed"), (told.pending, "being sent"))
    return ", ".join(f"{n} {what}" for n, what in parts if n)
