"""What has happened, since a cursor: the same events that webhooks tell (docs/contract/subscriptions.md)."""

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from console.api.callers import Caller, Scoped
from console.api.problems import READING, ApiProblem, FieldFault, may_answer
from domain.access.api_tokens import ApiScope
from domain.outbound.published import EventType
from store.outbound.feed import EventFeed, Forgotten

router = APIRouter(tags=["events"])
READS = Annotated[Caller, Depends(Scoped(ApiScope.EVENTS_READ))]
_CURSOR = re.compile(r"e([0-9]{1,18})")


class EventShown(BaseModel):
    """`id`: the webhook-id; the same event is told once."""

    id: str
    type: EventType
    timestamp: AwareDatetime
    data: dict[str, Any]


class EventsShown(BaseModel):
    """`next`: give it as `after` the next time, also when there was nothing. `more`: ask at once."""

    events: list[EventShown]
    next: str
    more: bool


@router.get(
    "/events", response_model=EventsShown, operation_id="readEvents", summary="What has happened since a cursor",
    responses=may_answer(*READING, 410),
)  # fmt: skip
async def events(
    caller: READS,
    after: Annotated[str | None, Query(max_length=30, description="`next` of the answer before.")] = None,
    type: Annotated[list[EventType] | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> EventsShown:
    """Without `after`: from the oldest that is kept (30 days). Events are written from the moment on when the first
    token with this scope was made."""
    feed = EventFeed(caller.wiring.pool)
    try:
        page = await feed.read(_place(after, await feed.oldest()), limit, tuple(type or ()), caller.scope)
    except Forgotten:
        why = "what came after this cursor is not kept any more; read the orders that matter, then begin without one"
        raise ApiProblem(410, "CURSOR_TOO_OLD", why) from None
    shown = [EventShown.model_validate({"id": e.event_id, **json.loads(e.body)}) for e in page.events]
    return EventsShown(events=shown, next=f"e{page.next}", more=page.more)


def _place(after: str | None, oldest: int) -> int:
    """Raises `ApiProblem`."""
    if after is None:
        return oldest
    found = _CURSOR.fullmatch(after)
    if found is None:
        fault = FieldFault(pointer="query/after", code="cursor", detail="no cursor of ours")
        raise ApiProblem(422, "INVALID_REQUEST", "after is no cursor of ours; begin without one", [fault])
    return int(found[1])
