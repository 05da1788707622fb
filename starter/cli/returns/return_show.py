"""`oms return show`: one case for all roles: where it stands, its money line by line, its goods and its whole story."""

from dataclasses import dataclass
from typing import Annotated

import typer

from domain.returns.enums import REASONS
from domain.returns.models import ReturnView
from starter.cli import output
from starter.cli.approvals.approval_text import kind_words
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, run
from starter.cli.language import happened, is_chinese, state, waits
from starter.cli.options import Json
from starter.cli.text import money
from starter.text.marking import N_
from store.approvals.approvals import Approval, ApprovalStore
from store.returns import ReturnStore
from store.tickets.tickets import TicketRow, TicketStore


@dataclass(frozen=True)
class ReturnShown:
    case: ReturnView
    approvals: tuple[Approval, ...]
    tickets: tuple[TicketRow, ...]


def show(number: Annotated[str, typer.Argument(metavar="NO", help="Return number.")], json: Json = False) -> None:
    """Show a case: what it pays and why, who has agreed, what came back, what happened when.

    Example: oms return show RT26112001
    """
    shown = run(_read(number))
    if json:
        output.as_json(shown)
        return
    _head(shown.case)
    _money(shown.case)
    _approvals(shown.approvals)
    _goods(shown.case)
    _timeline(shown.case)
    rows = [
        (t.ticket_id, state("severity", t.severity), f"{t.system}: {t.step}", happened(t.error))
        for t in shown.tickets
        if t.state == "open"
    ]
    if rows:
        output.table("Open tickets", ("ticket", "severity", "step", "error"), rows)


async def _read(number: str) -> ReturnShown:
    async with database() as pool:
        case = None if "\x00" in number else await ReturnStore(pool).view(number)
        if case is None:
            raise CommandFailed(f"there is no return {number!r}; look with `oms return list`.")
        tickets = await TicketStore(pool).list(state=None, order_no=case.order_no)
        mine = tuple(t for t in tickets if t.ticket_id.startswith(f"T-{number}-"))
        return ReturnShown(case, await ApprovalStore(pool).list(state=None, subject=number), mine)


def _head(c: ReturnView) -> None:
    text = REASONS[c.reason]
    by = c.applied_by
    output.facts(
        [
            ("return", c.return_no),
            ("order", c.order_no),
            ("type", state("return_type", c.type)),
            ("status", state("case", c.status)),
            ("waits for", waits(c.waiting_for)),
            ("turn of", state("turn", c.sla_owner)),
            ("until", c.due_at),
            ("needs a person", N_("yes") if c.needs_attention else ""),
            ("asked by", f"{by.kind} {by.id}" + (f" for {by.on_behalf_of}" if by.on_behalf_of else "")),
            ("channel", c.channel),
            ("because", text.zh if is_chinese() else text.en),
            ("whose fault", state("fault", c.fault)),
            ("pictures", ", ".join(c.evidence)),
            ("reopens", c.linked_to),
            ("closed because", c.close_reason),
            ("applied at", c.applied_at),
            ("ended", c.ended_at),
        ]
    )


def _money(c: ReturnView) -> None:
    q, currency = c.quote, c.currency
    rows: list[tuple[object, ...]] = [
        (line.line_id, line.units, money(line.goods_minor, currency), money(line.freight_minor, currency),
         money(line.goods_minor + line.freight_minor, currency))
        for line in q.lines
    ]  # fmt: skip
    total = money(q.total_minor, currency)
    rows.append((N_("together"), "", money(q.goods_minor, currency), money(q.freight_minor, currency), total))
    if q.total_minor != q.full_minor:
        rows.append((N_("before lowering"), "", "", "", money(q.full_minor, currency)))
    rows.append((N_("refunded so far"), "", "", "", money(c.refunded_minor, currency)))
    title = "Money: frozen shares of the units, coupons inside"
    output.table(title, ("line", "units", "goods", "freight", "sum"), rows)
    output.line(f"Has to agree: {' → '.join(state('role', level) for level in c.route)}.")


def _approvals(approvals: tuple[Approval, ...]) -> None:
    rows = [
        (a.request.approval_id, kind_words(a.request.kind), state("role", a.request.role),
         state("approval_state", a.state), a.decided_by or "", a.remark or "", a.used_for or "")
        for a in approvals
    ]  # fmt: skip
    if rows:
        output.table("Approvals", ("approval", "what", "role", "state", "by", "remark", "used for"), rows)


def _goods(c: ReturnView) -> None:
    rows = [
        (
            f"{u.line_id} #{u.unit + 1}",
            state("reception", u.reception),
            state("acceptance", u.acceptance),
            state("grade", u.grade) if u.grade else "",
        )
        for u in c.units
    ]
    if rows:
        output.table("Units", ("unit", "where it is", "agreed", "grade"), rows)
    if c.parcels:
        output.table("On the way back", ("carrier", "waybill"), [(p.carrier, p.waybill_no) for p in c.parcels])


def _timeline(c: ReturnView) -> None:
    rows = []
    for t in c.timeline:
        move = f"{state('case', t.from_status or '')} → {state('case', t.to_status)}" if t.to_status else ""
        detail = ", ".join(f"{k} {v}" for k, v in t.detail.items() if v not in ("", None))
        rows.append((t.at, state("turn", t.role), t.actor, state("return_action", t.action), move, detail))
    output.table("Timeline", ("at", "role", "who", "what", "state", "detail"), rows)
