"""What comes in from outside systems and what is told to others: sources, connectors, messages, subscriptions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from console.api.callers import Caller, Scoped
from console.api.problems import READING, ApiProblem, may_answer
from domain.access.api_tokens import ApiScope
from domain.inbox.callback_rates import rate_bp
from domain.order import Id, OrderNo
from store.console.callbacks import CallbackPages, MessageRow, SourceCalls, SourceDelay, WaitingMessages
from store.inbox.callback_rates import bucket_start
from store.inbox.sources import SourceRow, SourceStore
from store.polling.measures import ConnectorRow

router = APIRouter(prefix="/callbacks", tags=["callbacks"])
READS = Annotated[Caller, Depends(Scoped(ApiScope.CALLBACKS_READ))]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str | None, Query(pattern="^[0-9]{1,18}$")]
State = Literal[
    "received", "delivered", "applied", "held", "stale", "duplicate", "mismatch", "parked", "dead", "kept",
    "conflicting",
]  # fmt: skip


class SourceShown(BaseModel):
    """`rate_bp`: accepted of received, in 1/10000; null: nothing came. `refused`: how often, by reason. `networks`:
    from where it is let in, none: from anywhere that the relay listens to."""

    source: str
    enabled: bool
    networks: Sequence[str]
    heard_at: datetime | None
    received: int
    accepted: int
    rate_bp: int | None
    refused: dict[str, int]
    delay: SourceDelay | None


class SourcesShown(BaseModel):
    """Since when the calls are counted; `waiting`: messages that wait for somebody."""

    since: datetime
    sources: Sequence[SourceShown]
    waiting: Sequence[WaitingMessages]


class ConnectorsShown(BaseModel):
    connectors: Sequence[ConnectorRow]


class MessagesListed(BaseModel):
    messages: Sequence[MessageRow]
    next: str | None


class SubscriptionShown(BaseModel):
    """`waiting`, `failed`: deliveries. `ticket_id`: of the question that stands because of it."""

    subscription_id: str
    role: str
    state: str
    why: str | None
    failing_since: datetime | None
    ticket_id: str | None
    waiting: int
    failed: int


class SubscriptionsShown(BaseModel):
    subscriptions: Sequence[SubscriptionShown]


class DeliveryShown(BaseModel):
    """`outcome`, `status` of HTTP: of the last attempt, if there was one."""

    id: int
    event_id: str
    type: str
    order_no: str
    at: datetime
    state: str
    attempts: int
    next_try_at: datetime | None
    settled_at: datetime | None
    outcome: str | None
    status: int | None


class DeliveriesListed(BaseModel):
    deliveries: Sequence[DeliveryShown]
    next: str | None


@router.get(
    "/sources", response_model=SourcesShown, operation_id="listSources",
    summary="Success and delay of each source of callbacks", responses=may_answer(*READING),
)  # fmt: skip
async def sources(caller: READS, hours: Annotated[int, Query(ge=1, le=168)] = 24) -> SourcesShown:
    pool, now = caller.wiring.pool, caller.wiring.now()
    since, pages = bucket_start(now - timedelta(hours=hours)), CallbackPages(pool)
    called = await pages.called(since, now, 1)
    known = {row.source: row for row in await SourceStore(pool).list(now)}
    told = [_source(name, known.get(name), called.get(name)) for name in sorted({*known, *called})]
    return SourcesShown(since=since, sources=told, waiting=await pages.waiting())


@router.get(
    "/connectors", response_model=ConnectorsShown, operation_id="listConnectors",
    summary="How those fare whom we ask", responses=may_answer(*READING),
)  # fmt: skip
async def connectors(caller: READS) -> ConnectorsShown:
    return ConnectorsShown(connectors=await CallbackPages(caller.wiring.pool).connectors())


@router.get(
    "/messages", response_model=MessagesListed, operation_id="listMessages",
    summary="What came, newest first, and what became of it", responses=may_answer(*READING),
)  # fmt: skip
async def messages(
    caller: READS,
    state: State | None = None,
    source: Id | None = None,
    order_no: OrderNo | None = None,
    limit: Limit = 100,
    after: After = None,
) -> MessagesListed:
    page = await CallbackPages(caller.wiring.pool).messages(
        caller.scope, limit, state=state, source=source, order_no=order_no, before=int(after) if after else None
    )
    return MessagesListed(messages=page.messages, next=page.next)


@router.get(
    "/subscriptions", response_model=SubscriptionsShown, operation_id="listSubscriptions",
    summary="Whom we tell what happens, and how that goes", responses=may_answer(*READING),
)  # fmt: skip
async def subscriptions(caller: READS) -> SubscriptionsShown:
    found = await CallbackPages(caller.wiring.pool).subscriptions()
    return SubscriptionsShown(subscriptions=[SubscriptionShown(**one) for one in found])


@router.get(
    "/subscriptions/{name}/deliveries", response_model=DeliveriesListed, operation_id="listDeliveries",
    summary="What was told to one of them, newest first", responses=may_answer(*READING),
)  # fmt: skip
async def deliveries(caller: READS, name: Id, limit: Limit = 100, after: After = None) -> DeliveriesListed:
    pages = CallbackPages(caller.wiring.pool)
    if name not in {one["subscription_id"] for one in await pages.subscriptions()}:
        raise ApiProblem(404, "NO_SUCH_SUBSCRIPTION", f"nobody subscribes as {name}")
    found, following = await pages.deliveries(caller.scope, name, limit, int(after) if after else None)
    return DeliveriesListed(deliveries=[DeliveryShown(**one) for one in found], next=following)


def _source(name: str, known: SourceRow | None, calls: SourceCalls | None) -> SourceShown:
    calls = calls or SourceCalls(1)
    accepted, refused = sum(calls.accepted), sum(calls.refused)
    return SourceShown(
        source=name, enabled=known is None or known.enabled, heard_at=known.heard_at if known else None,
        networks=(known.allow or known.configured) if known else (), received=accepted + refused, accepted=accepted,
        rate_bp=rate_bp(accepted, accepted + refused), refused=dict(calls.reasons), delay=calls.delay,
    )  # fmt: skip
