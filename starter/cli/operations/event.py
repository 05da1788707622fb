"""`oms event list | show`: what outside systems told us."""

from enum import StrEnum
from typing import Annotated

import typer

from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, run
from starter.cli.options import By, Json, Limit, actor
from starter.cli.reading import personal_data_is_read
from starter.cli.text import when
from starter.text.marking import N_
from store.inbox.listing import InboxListing, InboxRow

BODY_SHOWN = 4000
EventId = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Number of the event in the inbox.")]


class EventState(StrEnum):
    RECEIVED = "received"
    DELIVERED = "delivered"
    APPLIED = "applied"
    HELD = "held"
    STALE = "stale"
    DUPLICATE = "duplicate"
    MISMATCH = "mismatch"
    PARKED = "parked"
    DEAD = "dead"
    KEPT = "kept"
    CONFLICTING = "conflicting"


def list_events(
    state: Annotated[EventState | None, typer.Option("--state", help="Only events in this state.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only from: wechat, qimen, tms, kuaidi100 …")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Only events of this order.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List events, newest first.

    Examples:

        oms event list --state parked

        oms event list --source wechat --order SO2603020101
    """
    found = run(_list(state, source, order, limit))
    if json:
        output.as_json(found)
    else:
        columns = ("id", "source", "event id", "kind", "state", "order", "received", "tries", "note")
        rows = [
            (e.id, e.source, e.event_id, e.kind, e.state, e.order_no, e.received_at, e.attempts, e.note) for e in found
        ]
        output.table("Events", columns, rows)


async def _list(state: EventState | None, source: str | None, order: str | None, limit: int) -> tuple[InboxRow, ...]:
    async with database() as pool:
        return await InboxListing(pool).list(state=state, source=source, order_no=order, limit=limit)


def show(
    event_id: EventId,
    with_body: Annotated[
        bool, typer.Option("--body", help="The message as it came, too (may be personal): kept.")
    ] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Show one event with the facts read from it.

    Example: oms event show 42 --body
    """
    event, body = run(_get(event_id, with_body, by))
    text = None if body is None else body[:BODY_SHOWN].decode("utf-8", errors="backslashreplace")
    if json:
        output.as_json({"event": event, "body": text})
        return
    output.facts(
        [
            ("event", f"{event.id}: {event.source} {event.event_id}"),
            ("kind", event.kind),
            ("via", event.via),
            ("state", event.state),
            ("order", event.order_no),
            ("received", event.received_at),
            ("delivered", event.delivered_at),
            ("next try", event.next_try_at if event.state == EventState.RECEIVED else None),
            ("tries", event.attempts),
            ("note", event.note),
            ("sha-256", event.digest),
            ("body", text or (N_(f"dropped {when(event.emptied_at)}") if event.emptied_at else None)),
        ]
    )
    rows = [(fact.get("kind"), fact.get("key"), fact.get("occurred_at")) for fact in event.facts]
    output.table("Facts", ("kind", "key", "occurred"), rows)


async def _get(event_id: int, with_body: bool, by: str | None) -> tuple[InboxRow, bytes | None]:
    async with database() as pool:
        desk = InboxListing(pool)
        event = await desk.get(event_id)
        if event is None:
            raise CommandFailed(f"there is no event {event_id}; look with `oms event list`.")
        if not with_body:
            return event, None
        await personal_data_is_read(pool, actor(by), "message", str(event_id), event.order_no)
        return event, await desk.body(event_id)
