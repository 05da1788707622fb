"""Questions for people, to be shown elsewhere: whoever answers them is a person, here or with `oms`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from console.api.callers import Caller, Scoped
from console.api.problems import READING, may_answer
from console.api.reading import own_cursor
from domain.access.api_tokens import ApiScope
from domain.access.teams import Team, team_of
from domain.order import Id
from domain.tickets import Severity
from store.tickets.pages import TicketFilter, TicketPages
from store.tickets.tickets import TicketRow

router = APIRouter(prefix="/tickets", tags=["tickets"])
READS = Annotated[Caller, Depends(Scoped(ApiScope.TICKETS_READ))]


class TicketShown(BaseModel):
    """`actions`: the answers that there are; `give_up_means`: what that one leads to; `action`: which was given."""

    ticket_id: str
    order_no: str | None
    child_no: str | None
    state: str
    severity: str
    team: Team
    system: str
    step: str
    error: str
    actions: Sequence[str]
    give_up_means: str
    owner: str | None
    opened_at: datetime
    resolved_at: datetime | None
    action: str | None


class TicketsListed(BaseModel):
    tickets: Sequence[TicketShown]
    next: str | None


@router.get(
    "", response_model=TicketsListed, operation_id="listTickets",
    summary="Open questions, the loudest first, of these the oldest; or answered ones, newest first",
    responses=may_answer(*READING),
)  # fmt: skip
async def tickets(
    caller: READS,
    answered: bool = False,
    team: Team | None = None,
    severity: Severity | None = None,
    system: Id | None = None,
    number: Annotated[Id | None, Query(description="Of a ticket, an order or a parcel.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str | None, Query(max_length=300)] = None,
) -> TicketsListed:
    wanted = TicketFilter(
        is_open=not answered, team=team, severity=severity, system=system, number=number,
        channels=caller.scope.channels, warehouses=caller.scope.warehouses,
    )  # fmt: skip
    with own_cursor():
        page = await TicketPages(caller.wiring.pool).page(wanted, limit, after)
    return TicketsListed(tickets=[_shown(one) for one in page.tickets], next=page.next)


def _shown(one: TicketRow) -> TicketShown:
    said = {name: getattr(one, name) for name in TicketShown.model_fields if name != "team"}
    return TicketShown(team=team_of(one.system, one.step), **said)
