"""`oms ticket`: questions for a person."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer

from domain.records import TicketResolution
from domain.strict import UnableToRead, load
from starter.cli import output
from starter.cli.failing import BadInput, Failure, run
from starter.cli.options import By, Json, Limit, actor, sentence
from starter.cli.reach import database, order_client
from starter.errors import NotNow
from store.tickets import Ticket, TicketStore
from workflows.messages import ResolveTicket

TicketId = Annotated[str, typer.Argument(metavar="ID", help="Ticket number, T-….")]
Action = Literal["retry", "supply", "give_up"]
_OPTION = {"retry": "--retry", "supply": "--result JSON", "give_up": "--give-up"}


def list_tickets(
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    order: Annotated[str | None, typer.Option("--order", help="Only tickets of this order.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List open tickets, newest first.

    Example: oms ticket list --order SO2603020101 --all
    """
    found = run(_list(None if everything else "open", order, limit))
    if json:
        output.as_json(found)
    else:
        columns = ("ticket", "state", "severity", "order", "step", "error", "opened")
        rows = [
            (t.ticket_id, t.state, t.severity, t.child_no or t.order_no, f"{t.system}: {t.step}", t.error, t.opened_at)
            for t in found
        ]
        output.table("Tickets", columns, rows)


async def _list(state: str | None, order: str | None, limit: int) -> tuple[Ticket, ...]:
    async with database() as pool:
        return await TicketStore(pool).list(state=state, order_no=order, limit=limit)


def show(ticket_id: TicketId, json: Json = False) -> None:
    """Show one ticket with what may be done.

    Example: oms ticket show T-SO2603020101-1
    """
    ticket = run(_get(ticket_id))
    if json:
        output.as_json(ticket)
        return
    output.facts(
        [
            ("ticket", ticket.ticket_id),
            ("state", ticket.state),
            ("severity", ticket.severity),
            ("order", ticket.order_no),
            ("parcel", ticket.child_no),
            ("step", f"{ticket.system}: {ticket.step}"),
            ("error", ticket.error),
            ("opened", ticket.opened_at),
            ("you can", ", ".join(_OPTION[a] for a in ticket.actions) if ticket.state == "open" else ""),
            ("giving up means", ticket.give_up_means if ticket.state == "open" else ""),
            ("resolved", ticket.resolved_at),
            ("by", ticket.resolved_by),
            ("action", ticket.action),
            ("remark", ticket.remark),
        ]
    )


async def _get(ticket_id: str) -> Ticket:
    async with database() as pool:
        ticket = None if "\x00" in ticket_id else await TicketStore(pool).get(ticket_id)
    if ticket is None:
        raise Failure(f"there is no ticket {ticket_id!r}; look with `oms ticket list`.")
    return ticket


def resolve(
    ticket_id: TicketId,
    remark: Annotated[str, typer.Option("--remark", help="Why; kept with the ticket.")],
    retry: Annotated[bool, typer.Option("--retry", help="Try the step again.")] = False,
    result: Annotated[str | None, typer.Option("--result", metavar="JSON", help="Supply the step's result.")] = None,
    give_up: Annotated[bool, typer.Option("--give-up", help="Stop trying; the ticket says what happens then.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Answer a ticket; the order goes on at once.

    Examples:

        oms ticket resolve T-SO2603020101-1 --retry --remark "warehouse is back"

        oms ticket resolve T-SO2603020101-1 --give-up --remark "agreed with the buyer"
    """
    if (retry, result is not None, give_up).count(True) != 1:
        raise typer.BadParameter("say how: one of --retry, --result JSON, --give-up")
    action: Action = "retry" if retry else "give_up" if give_up else "supply"
    run(_resolve(ticket_id, action, remark, result, by))
    if json:
        output.as_json({"ticket_id": ticket_id, "action": action})
    else:
        output.line(f"Ticket {ticket_id} is answered: {action.replace('_', ' ')}.")


async def _resolve(ticket_id: str, action: Action, remark: str, result: str | None, by: str | None) -> None:
    message = ResolveTicket(
        ticket_id=ticket_id,
        action=action,
        remark=sentence("--remark", remark),
        by=actor(by),
        result=None if result is None else _object(result),
    )
    ticket = await _get(ticket_id)
    if action not in ticket.actions:
        allowed = ", ".join(_OPTION[a] for a in ticket.actions) or "nothing: it closes by itself"
        raise Failure(f"ticket {ticket_id} does not take {_OPTION[action]}; it takes {allowed}.")
    if ticket.outside or ticket.order_no is None:
        await _resolve_outside(message)
        return
    try:
        async with order_client() as client:
            await client.resolve_ticket(ticket.order_no, message)
    except NotNow as error:
        if error.type != "Ended":
            raise
        await _resolve_outside(message)  # a note that outlived its order


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
