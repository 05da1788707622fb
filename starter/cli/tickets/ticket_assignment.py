"""`oms ticket take | assign | release`: who looks after a ticket."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import run
from starter.cli.options import By, Json, actor, usable_id
from store.tickets.queue import TicketQueue

TicketIds = Annotated[list[str], typer.Argument(metavar="ID…", help="Ticket numbers, T-….")]
Change = Callable[[TicketQueue, str, datetime], Awaitable[None]]


def take(ticket_ids: TicketIds, by: By = None, json: Json = False) -> None:
    """Look after tickets that nobody has; the time until they are raised begins anew.

    Example: oms ticket take T-SO2603020101-1 T-inbox-7
    """

    async def change(queue: TicketQueue, ticket_id: str, at: datetime) -> None:
        await queue.take(ticket_id, actor(by), at)

    run(_each(ticket_ids, change))
    _tell(ticket_ids, "taken", json)


def assign(
    ticket_id: Annotated[str, typer.Argument(metavar="ID", help="Ticket number, T-….")],
    owner: Annotated[str, typer.Argument(metavar="PERSON", help="Who is to look after it.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Give a ticket to somebody, whoever has it now.

    Example: oms ticket assign T-SO2603020101-1 wang.fang
    """

    async def change(queue: TicketQueue, ticket_id: str, at: datetime) -> None:
        await queue.assign(ticket_id, usable_id("PERSON", owner), actor(by), at)

    run(_each([ticket_id], change))
    _tell([ticket_id], f"{owner}'s now", json)


def release(ticket_ids: TicketIds, by: By = None, json: Json = False) -> None:
    """Put tickets back into the queue.

    Example: oms ticket release T-SO2603020101-1
    """

    async def change(queue: TicketQueue, ticket_id: str, at: datetime) -> None:
        await queue.release(ticket_id, actor(by), at)

    run(_each(ticket_ids, change))
    _tell(ticket_ids, "nobody's now", json)


async def _each(ticket_ids: list[str], change: Change) -> None:
    """In the order given; the first that cannot be done ends it."""
    async with database() as pool:
        for ticket_id in ticket_ids:
            await change(TicketQueue(pool), ticket_id.replace("\x00", ""), datetime.now(UTC))


def _tell(ticket_ids: list[str], what: str, json: bool) -> None:
    if json:
        output.as_json({"ticket_ids": ticket_ids})
    else:
        output.line(f"{'Ticket' if len(ticket_ids) == 1 else 'Tickets'} {', '.join(ticket_ids)}: {what}.")
