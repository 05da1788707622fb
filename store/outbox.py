"""Events for other systems, written in the transaction of the change they tell of: with it, or not at all (R74)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.outbound.published import (
    AutomationFired,
    EventType,
    OfferMade,
    OrderStatusChanged,
    ParcelStatusChanged,
    PaymentReceived,
    Published,
    RefundMoved,
    ReturnStatusChanged,
    TicketOpened,
    published,
)
from domain.records import ChildPlan, OrderWrite, RefundRecord, TicketRecord
from domain.states import ChildStatus, OrderStatus, RefundStatus
from store.pool import Connection, Row

# A program reads events by itself, all of them (`store/outbound/feed.py`).
_READ = """EXISTS (SELECT FROM api_tokens t
    WHERE 'events:read' = ANY (t.scopes) AND t.revoked_at IS NULL AND t.expires_at > now())"""


def lock_with(types: str) -> str:
    """What the order ($1) was before a write, and what somebody wants to hear; the order's row is locked. Writes of one
    order queue here; everything after it sees what the earlier ones committed. `types`: where all types are told."""
    return f"""
SELECT o.seq, o.updated_at, o.status, o.channel, o.channel_order_no, o.buyer_id, o.currency,
    ARRAY(SELECT t FROM subscriptions s, unnest(s.types) AS t WHERE s.state <> 'removed'
        UNION SELECT t FROM unnest({types}::text[]) AS t WHERE {_READ}) AS wanted
FROM orders o WHERE o.order_no = $1 FOR NO KEY UPDATE OF o"""  # noqa: S608 - our own words


LOCK = lock_with("$2")

# How the refunds of a write really stand now: a late write may have lost.
REFUNDS = "SELECT refund_no, status, seq FROM refunds WHERE refund_no = ANY($1::text[])"

# Events with a delivery for everybody who hears them; an event that is known adds nothing.
PUBLISH = """
WITH event AS (
    INSERT INTO outbox (event_id, order_no, type, at, body)
    SELECT u.event_id, $1, u.type, $2, u.body
    FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS u (event_id, type, body, pos) ORDER BY u.pos
    ON CONFLICT DO NOTHING RETURNING id, type
)
INSERT INTO deliveries (outbox_id, subscription_id, needs_ack, next_try_at)
SELECT e.id, s.subscription_id, s.role = 'finance' AND e.type = 'refund.succeeded', $2
FROM event e JOIN subscriptions s ON e.type = ANY (s.types) AND s.state <> 'removed' ORDER BY e.id"""

# One event of no order's write.
PUBLISH_ONE = f"""
WITH event AS (
    INSERT INTO outbox (event_id, order_no, type, at, body) SELECT $1, $2, $3, $4, $5
    WHERE {_READ} OR EXISTS (SELECT FROM subscriptions s WHERE $3 = ANY (s.types) AND s.state <> 'removed')
    ON CONFLICT DO NOTHING RETURNING id, type
)
INSERT INTO deliveries (outbox_id, subscription_id, needs_ack, next_try_at)
SELECT e.id, s.subscription_id, false, $4
FROM event e JOIN subscriptions s ON e.type = ANY (s.types) AND s.state <> 'removed'"""  # noqa: S608

HEARD = f"""
SELECT {_READ} OR EXISTS (SELECT FROM subscriptions s WHERE $1 = ANY (s.types) AND s.state = 'enabled')"""  # noqa: S608

REFUND_EVENTS = {
    RefundStatus.SUCCEEDED: EventType.REFUND_SUCCEEDED,
    RefundStatus.ABNORMAL: EventType.REFUND_ABNORMAL,
}


class TellsRefunds(Protocol):
    """What a write of an order, or of a case, says about refunds."""

    @property
    def order_no(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def refunds(self) -> Sequence[RefundRecord]: ...


@dataclass(frozen=True)
class Telling:
    """News of a case's refunds; `seq` is the case's own."""

    order_no: str
    seq: int
    at: datetime
    refunds: tuple[RefundRecord, ...]


@dataclass(frozen=True)
class Before:
    """The order as the write found it. `wanted`: types that somebody subscribes to, or reads."""

    seq: int
    updated_at: datetime
    status: str
    channel: str
    channel_order_no: str
    buyer_id: str
    currency: str
    wanted: Sequence[str]


async def lock_order(connection: Connection, order_no: str) -> Before | None:
    """Inside a transaction. None: it is not in the books."""
    row = await connection.fetchrow(LOCK, order_no, list(EventType))
    return None if row is None else Before(**row)


async def publish(
    connection: Connection,
    write: OrderWrite,
    before: Before,
    created: Sequence[ChildPlan] = (),
    moved: Sequence[Row] = (),
) -> None:
    """Inside the transaction of an order's write, after its other parts.

    `created`: children that this very write made; `moved`: those whose row it has moved. Costs nothing while nobody
    subscribes to what has happened, and one statement otherwise.
    """
    if not before.wanted:
        return
    events = [*_order(write, before), *_payment(write), *_children(write, created, moved), *_tickets(write)]
    events += await _refunds(connection, write, before)
    await _put(connection, write.order_no, write.at, [e for e in events if e.type in before.wanted])


async def publish_refunds(connection: Connection, write: TellsRefunds, before: Before) -> None:
    """Inside the transaction of a case's write: finance hears of its refunds as of an order's (R05)."""
    await _put(connection, write.order_no, write.at, await _refunds(connection, write, before))


async def _put(connection: Connection, order_no: str, at: datetime, wanted: Sequence[Published]) -> None:
    if wanted:
        columns = ([e.event_id for e in wanted], [e.type for e in wanted], [e.body for e in wanted])
        await connection.execute(PUBLISH, order_no, at, *columns)


def _order(write: OrderWrite, before: Before) -> Iterator[Published]:
    first = before.seq == 0
    late = (write.at, write.seq) <= (before.updated_at, before.seq)
    if late or (write.status == before.status and not first):
        return
    data = OrderStatusChanged(
        order_no=write.order_no,
        seq=write.seq,
        channel=before.channel,
        channel_order_no=before.channel_order_no,
        buyer_id=before.buyer_id,
        from_status=None if first else OrderStatus(before.status),
        to_status=write.status,
        payment_status=write.payment_status,
    )
    yield published(EventType.ORDER_STATUS, write.at, data, write.seq, write.status)


def _payment(write: OrderWrite) -> Iterator[Published]:
    payment = write.payment
    if payment is None:
        return
    data = PaymentReceived(
        order_no=write.order_no,
        seq=write.seq,
        channel=payment.channel,
        merchant_id=payment.merchant_id,
        transaction_id=payment.transaction_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        paid_at=payment.paid_at,
        payment_status=write.payment_status,
    )
    yield published(EventType.PAYMENT_RECEIVED, write.at, data, payment.key)


def _children(write: OrderWrite, created: Sequence[ChildPlan], moved: Sequence[Row]) -> Iterator[Published]:
    told = {row["child_no"]: row for row in moved}
    for plan in created:
        data = ParcelStatusChanged(
            order_no=write.order_no,
            seq=write.seq,
            child_no=plan.child_no,
            warehouse=plan.warehouse,
            from_status=None,
            to_status=plan.status,
        )
        yield published(EventType.PARCEL_STATUS, write.at, data, plan.child_no, write.seq, plan.status)
    for child_no, row in told.items():
        if row["was"] == row["status"]:
            continue
        data = ParcelStatusChanged(
            order_no=write.order_no,
            seq=write.seq,
            child_no=child_no,
            warehouse=row["warehouse"],
            from_status=ChildStatus(row["was"]),
            to_status=ChildStatus(row["status"]),
            carrier=row["carrier"],
            waybill_no=row["waybill_no"],
            shipped_at=row["shipped_at"],
            signed_at=row["signed_at"],
        )
        yield published(EventType.PARCEL_STATUS, write.at, data, child_no, write.seq, row["status"])


async def publish_ticket(connection: Connection, ticket: TicketRecord, order_no: str | None, at: datetime) -> None:
    """A ticket that no order's workflow opened, in the transaction of its opening."""
    event = _ticket(ticket, order_no, 0, at)
    await connection.execute(PUBLISH_ONE, event.event_id, order_no, event.type, at, event.body)


async def publish_return(connection: Connection, change: ReturnStatusChanged, at: datetime) -> None:
    """Inside the transaction of the change."""
    event = published(EventType.RETURN_STATUS, at, change, change.return_no, change.seq, change.to_status)
    await connection.execute(PUBLISH_ONE, event.event_id, change.order_no, event.type, at, event.body)


async def publish_automation(connection: Connection, fired: AutomationFired, at: datetime) -> None:
    """Inside the transaction of its claim: once for an order and automation."""
    event = published(EventType.AUTOMATION_FIRED, at, fired, fired.automation)
    await connection.execute(PUBLISH_ONE, event.event_id, fired.order_no, event.type, at, event.body)


async def publish_offer(connection: Connection, offer: OfferMade, at: datetime) -> None:
    """Inside the transaction that claims its units."""
    event = published(EventType.OFFER_MADE, at, offer, offer.line_id, *offer.units)
    await connection.execute(PUBLISH_ONE, event.event_id, offer.order_no, event.type, at, event.body)


async def is_heard(connection: Connection, event: EventType) -> bool:
    """Whether anybody subscribes to it, or reads all events."""
    return bool(await connection.fetchval(HEARD, event.value))


def _tickets(write: OrderWrite) -> Iterator[Published]:
    for ticket in write.tickets:
        yield _ticket(ticket, write.order_no, write.seq, write.at)


def _ticket(ticket: TicketRecord, order_no: str | None, seq: int, at: datetime) -> Published:
    data = TicketOpened(
        order_no=order_no,
        seq=seq,
        ticket_id=ticket.ticket_id,
        child_no=ticket.child_no,
        system=ticket.system,
        step=ticket.step,
        severity=ticket.severity,
    )
    return published(EventType.TICKET_OPENED, at, data, ticket.ticket_id)


async def _refunds(connection: Connection, write: TellsRefunds, before: Before) -> list[Published]:
    told = {r.refund_no: r for r in write.refunds if REFUND_EVENTS.get(r.status) in before.wanted}
    if not told:
        return []
    rows = await connection.fetch(REFUNDS, list(told))
    return [
        _refund(write, before, told[row["refund_no"]]) for row in rows if _stands(told[row["refund_no"]], write, row)
    ]


def _stands(refund: RefundRecord, write: TellsRefunds, row: Row) -> bool:
    """Success stays whoever tells it; trouble is news only from the write that moved the refund."""
    return row["status"] == refund.status and (refund.status is RefundStatus.SUCCEEDED or row["seq"] == write.seq)


def _refund(write: TellsRefunds, before: Before, refund: RefundRecord) -> Published:
    data = RefundMoved(
        order_no=write.order_no,
        seq=write.seq,
        refund_no=refund.refund_no,
        amount_minor=refund.amount_minor,
        currency=before.currency,
    )
    which = () if refund.status is RefundStatus.SUCCEEDED else (write.seq,)
    return published(REFUND_EVENTS[refund.status], write.at, data, refund.refund_no, *which)
