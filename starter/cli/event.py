"""`oms event`: what outside systems told us, and a second try for what could not be delivered."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from domain.records import AuditEntry
from starter.cli import output
from starter.cli.failing import Failure, run
from starter.cli.options import By, Json, Limit, actor
from starter.cli.reach import database
from store.audit import AuditStore
from store.inbox import InboxStore
from store.inbox_desk import InboxDesk, InboxRow

BODY_SHOWN = 4000
EventId = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Number of the event in the inbox.")]


class State(StrEnum):
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


def list_events(
    state: Annotated[State | None, typer.Option("--state", help="Only events in this state.")] = None,
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


async def _list(state: State | None, source: str | None, order: str | None, limit: int) -> tuple[InboxRow, ...]:
    async with database() as pool:
        return await InboxDesk(pool).list(state=state, source=source, order_no=order, limit=limit)


def show(
    event_id: EventId,
    with_body: Annotated[bool, typer.Option("--body", help="The message as it came, too (may be personal).")] = False,
    json: Json = False,
) -> None:
    """Show one event with the facts read from it.

    Example: oms event show 42 --body
    """
    event, body = run(_get(event_id, with_body))
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
            ("next try", event.next_try_at if event.state == State.RECEIVED else None),
            ("tries", event.attempts),
            ("note", event.note),
            ("sha-256", event.digest),
            ("body", text),
        ]
    )
    rows = [(fact.get("kind"), fact.get("key"), fact.get("occurred_at")) for fact in event.facts]
    output.table("Facts", ("kind", "key", "occurred"), rows)


async def _get(event_id: int, with_body: bool) -> tuple[InboxRow, bytes | None]:
    async with database() as pool:
        desk = InboxDesk(pool)
        event = await desk.get(event_id)
        if event is None:
            raise Failure(f"there is no event {event_id}; look with `oms event list`.")
        return event, await desk.body(event_id) if with_body else None


def replay(event_id: EventId, by: By = None, json: Json = False) -> None:
    """Deliver an event once more. Harmless: an order applies each happening once.

    Example: oms event replay 42
    """
    run(_replay(event_id, actor_of=by))
    if json:
        output.as_json({"id": event_id, "state": State.RECEIVED})
    else:
        output.line(f"Event {event_id} is on its way again; watch it with `oms event show {event_id}`.")


async def _replay(event_id: int, actor_of: str | None) -> None:
    who = actor(actor_of)
    async with database() as pool:
        await InboxStore(pool).replay(event_id, f"replayed by {who}")
        entry = AuditEntry(actor=who, action="event.replay", detail={"id": event_id})
        await AuditStore(pool).append(entry, datetime.now(UTC))
