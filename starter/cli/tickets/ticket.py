"""`oms ticket`: questions for a person."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import typer

from domain.records import TicketResolution
from domain.strict import UnableToRead, load
from starter.cli import output
from starter.cli.connections import database, order_client, return_client
from starter.cli.errors import BadInput, CommandFailed, run
from starter.cli.options import By, Json, Key, Limit, actor, own_key, remark_of, span
from starter.cli.tickets import ticket_text
from starter.clients.errors import NotNow
from starter.clients.return_errors import StepRefused
from starter.text.marking import N_
from store.tickets.queue import NoticeDelivery, Sort, TicketMove, TicketQueue, Wanted
from store.tickets.tickets import TicketRow, TicketStore
from workflows.messages import ResolveTicket, TicketAnswer

TicketId = Annotated[str, typer.Argument(metavar="ID", help="Ticket number, T-….")]
Action = Literal["retry", "supply", "give_up"]


class Loudness(StrEnum):
    INFO = "info"
    NORMAL = "normal"
    URGENT = "urgent"


def list_tickets(
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    order: Annotated[str | None, typer.Option("--order", help="Only tickets of this order.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only those that you look after (see --by).")] = False,
    unowned: Annotated[bool, typer.Option("--unowned", help="Only those that nobody looks after.")] = False,
    owner: Annotated[str | None, typer.Option("--owner", help="Only those that this person looks after.")] = None,
    severity: Annotated[Loudness | None, typer.Option("--severity", help="Only this loud.")] = None,
    system: Annotated[str | None, typer.Option("--system", help="Only of: wechat, wms, carrier, pull …")] = None,
    older: Annotated[str | None, typer.Option("--older-than", help="At least this old: 30m, 2h, 3d.")] = None,
    sort: Annotated[Sort, typer.Option("--sort", help="What comes first.")] = Sort.SEVERITY,
    limit: Limit = 50,
    by: By = None,
    json: Json = False,
) -> None:
    """List the queue of open tickets: the loudest first, of these the oldest. ↑ tells how often one was raised.

    Examples:

        oms ticket list --unowned --severity urgent

        oms ticket list --mine --sort age

        oms ticket list --system wms --older-than 2h

        oms ticket list --order SO2603020101 --all
    """
    if (mine, unowned, owner is not None).count(True) > 1:
        raise typer.BadParameter("take one of --mine, --unowned and --owner")
    now = datetime.now(UTC)

    def wanted() -> Wanted:
        return Wanted(
            state=None if everything else "open",
            order_no=order,
            severity=None if severity is None else severity.value,
            system=system,
            owner=actor(by) if mine else owner,
            unowned=unowned,
            opened_before=None if older is None else now - span("--older-than", older),
        )

    found = run(_list(wanted, sort, limit))
    if json:
        output.as_json(found)
    else:
        output.table("Tickets", ticket_text.COLUMNS, [ticket_text.row(t, now) for t in found])


async def _list(wanted: Callable[[], Wanted], sort: Sort, limit: int) -> tuple[TicketRow, ...]:
    asked = wanted()
    async with database() as pool:
        return await TicketQueue(pool).list(asked, sort, limit)


def show(ticket_id: TicketId, json: Json = False) -> None:
    """Show one ticket: what may be done, how old it is, and what was done with it.

    Example: oms ticket show T-SO2603020101-1
    """
    ticket, history, told = run(_look(ticket_id))
    now = datetime.now(UTC)
    if json:
        age_s = int(((ticket.resolved_at or now) - ticket.opened_at).total_seconds())
        output.as_json({**asdict(ticket), "age_s": age_s, "history": history, "notices": told})
    else:
        ticket_text.everything(ticket, history, told, now)


async def _look(ticket_id: str) -> tuple[TicketRow, tuple[TicketMove, ...], tuple[NoticeDelivery, ...]]:
    ticket = await _get(ticket_id)
    async with database() as pool:
        queue = TicketQueue(pool)
        return ticket, await queue.history(ticket_id), await queue.notices(ticket_id)


async def _get(ticket_id: str) -> TicketRow:
    async with database() as pool:
        ticket = None if "\x00" in ticket_id else await TicketStore(pool).get(ticket_id)
    if ticket is None:
        raise CommandFailed(f"there is no ticket {ticket_id!r}; look with `oms ticket list`.")
    return ticket


def resolve(
    ticket_id: TicketId,
    remark: Annotated[str, typer.Option("--remark", help="Why; kept with the ticket.")],
    retry: Annotated[bool, typer.Option("--retry", help="Try the step again.")] = False,
    result: Annotated[str | None, typer.Option("--result", metavar="JSON", help="Supply the step's result.")] = None,
    give_up: Annotated[bool, typer.Option("--give-up", help="Stop trying; the ticket says what happens then.")] = False,
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Answer a ticket; the order goes on at once. What is said of money (--result) another person of finance decides.

    Examples:

        oms ticket resolve T-SO2603020101-1 --retry --remark "warehouse is back"

        oms ticket resolve T-SO2603020101-1 --give-up --remark "agreed with the buyer"
    """
    if (retry, result is not None, give_up).count(True) != 1:
        raise typer.BadParameter("say how: one of --retry, --result JSON, --give-up")
    action: Action = "retry" if retry else "give_up" if give_up else "supply"
    asked = run(_resolve(ticket_id, action, remark, result, by, key)).approval_id
    if json:
        output.as_json({"ticket_id": ticket_id, "action": action, "approval_id": asked})
    elif asked is not None:
        output.line(
            f"{asked} asks FINANCE: another person decides with `oms approve approve {asked}`; until then ticket "
            f"{ticket_id} is open."
        )
    else:
        output.line(f"Ticket {ticket_id} is answered: {action.replace('_', ' ')}.")


async def _resolve(
    ticket_id: str, action: Action, remark: str, result: str | None, by: str | None, key: str | None
) -> TicketAnswer:
    own = own_key(key)
    message = ResolveTicket(
        ticket_id=ticket_id,
        action=action,
        remark=remark_of(remark),
        by=actor(by),
        result=None if result is None else _object(result),
    )
    ticket = await _get(ticket_id)
    if action not in ticket.actions:
        allowed = ", ".join(ticket_text.OPTION[a] for a in ticket.actions) or N_("nothing: it closes by itself")
        raise CommandFailed(f"ticket {ticket_id} does not take {ticket_text.OPTION[action]}; it takes {allowed}.")
    if ticket.outside or ticket.order_no is None:
        await _resolve_outside(message)
        return TicketAnswer()
    try:
        return await _resolve_inside(ticket.order_no, message, own)
    except (NotNow, StepRefused) as error:
        if error.type != "Ended":
            raise
        await _resolve_outside(message)  # a note that outlived its order or case
        return TicketAnswer()


async def _resolve_inside(order_no: str, message: ResolveTicket, key: str | None) -> TicketAnswer:
    """By the workflow that waits for the answer: the case's, where a case asked."""
    async with database() as pool:
        return_no = await TicketStore(pool).case_of(message.ticket_id)
    if return_no is not None:
        async with return_client() as cases:
            return await cases.keyed(key).resolve_ticket(return_no, message)
    async with order_client() as orders:
        return await orders.keyed(key).resolve_ticket(order_no, message)


async def _resolve_outside(message: ResolveTicket) -> None:
    """A ticket that no workflow opened is closed where it lies."""
    resolution = TicketResolution(
        ticket_id=message.ticket_id,
        action=message.action,
        remark=message.remark,
        resolved_by=message.by,
        result=message.result,
    )
    async with database() as pool:
        await TicketStore(pool).resolve_outside(resolution, datetime.now(UTC))


def _object(text: str) -> dict[str, Any]:
    try:
        value = load(text)
    except UnableToRead as e:
        raise BadInput(f"--result is not usable: {e}.") from None
    if not isinstance(value, dict):
        raise BadInput('--result must be a JSON object, for instance {"waybill_no": "SF123"}.')
    return value
