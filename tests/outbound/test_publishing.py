"""What is told: with the change or not at all, once, to who asked for it, and nothing personal."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from domain.outbound.published import MAX_BYTES, PAYLOADS, EventType, SubscriberRole
from domain.policy import Policy
from domain.records import ChildState, SettlePayment, StockMove, TicketRecord
from domain.states import ChildStatus, OrderStatus, RefundStatus
from domain.strict import parse
from store.errors import StockWouldGoNegative
from tests.outbound.conftest import World
from tests.outbound.happenings import ORDER, paid, refunded
from tests.store.examples import ADDRESS, NOW, a_payment, a_refund, a_write, an_order

ALL = tuple(EventType)
TICKET = TicketRecord(ticket_id=f"T-{ORDER}-1", system="wms", step="push", error="王芳 does not answer", child_no=None)


async def told(world: World) -> list[dict[str, Any]]:
    rows = await world.pool.fetch("SELECT body FROM outbox ORDER BY id")
    return [json.loads(row["body"]) for row in rows]


async def types(world: World) -> list[str]:
    return [event["type"] for event in await told(world)]


async def a_whole_life(world: World) -> None:
    await paid(world.orders, NOW)
    signed = ChildState(child_no=f"{ORDER}-01", status=ChildStatus.SIGNED, waybill_no="W1", carrier="SF", signed_at=NOW)
    refund = a_refund("R-1", status=RefundStatus.REQUESTED)
    await world.orders.write(a_write(seq=2, children=(signed,), tickets=(TICKET,), refunds=(refund,)))
    moved = tuple(a_refund("R-1", status=s) for s in (RefundStatus.ACCEPTED, RefundStatus.ABNORMAL))
    await world.orders.write(a_write(seq=3, status=OrderStatus.DELIVERED, refunds=moved))
    succeeded = a_refund("R-1", status=RefundStatus.SUCCEEDED)
    await world.orders.write(a_write(seq=4, status=OrderStatus.COMPLETED, refunds=(succeeded,), ended=True))


async def test_the_life_of_an_order_is_told_once_in_its_order(world: World) -> None:
    await world.subscribe("https://x.example", types=ALL)
    await a_whole_life(world)
    first = ["order.status_changed", "payment.received", "parcel.status_changed", "parcel.status_changed"]
    second = ["parcel.status_changed", "ticket.opened"]
    last = ["order.status_changed", "refund.abnormal", "order.status_changed", "refund.succeeded"]
    assert await types(world) == [*first, *second, *last]
    states = [(e["data"]["from_status"], e["data"]["to_status"]) for e in await told(world) if "to_status" in e["data"]]
    assert states == [
        (None, "AWAITING_SHIPMENT"),
        (None, "BACKORDER"),
        (None, "BACKORDER"),
        ("BACKORDER", "SIGNED"),
        ("AWAITING_SHIPMENT", "DELIVERED"),
        ("DELIVERED", "COMPLETED"),
    ]


async def test_every_payload_is_the_one_of_the_catalogue_and_names_nobody(world: World) -> None:
    await world.subscribe("https://x.example", types=ALL)
    await a_whole_life(world)
    events = await told(world)
    others = {EventType.RETURN_STATUS, EventType.AUTOMATION_FIRED, EventType.OFFER_MADE}
    assert {e["type"] for e in events} == {t.value for t in set(EventType) - others}, "no order's own write tells those"
    for event in events:
        assert list(event) == ["type", "timestamp", "data"]
        parse(PAYLOADS[EventType(event["type"])], json.dumps(event["data"]))
    text = json.dumps(events, ensure_ascii=False)
    for personal in (ADDRESS.recipient, ADDRESS.phone, ADDRESS.street, "does not answer"):
        assert personal not in text


async def test_a_write_that_is_rolled_back_tells_nothing(world: World) -> None:
    await world.subscribe("https://x.example", types=ALL)
    await paid(world.orders, NOW)
    before = await types(world)
    too_many = StockMove(ref=f"{ORDER}-01/L1", kind="release", sku="A", warehouse="WH-1", qty=50)
    with pytest.raises(StockWouldGoNegative):
        await world.orders.write(a_write(seq=2, status=OrderStatus.SHIPPED, moves=(too_many,), tickets=(TICKET,)))
    # Even one that fails after everything was told.
    async with world.pool.acquire() as connection:
        await connection.execute("ALTER TABLE deliveries ADD CONSTRAINT broken CHECK (false) NOT VALID")
    with pytest.raises(Exception, match="broken"):
        await world.orders.write(a_write(seq=2, status=OrderStatus.SHIPPED))
    assert await types(world) == before
    assert await world.pool.fetchval("SELECT seq FROM orders") == 1


async def test_a_write_written_again_tells_nothing_again(world: World) -> None:
    await world.subscribe("https://x.example", types=ALL)
    for _ in range(2):
        await a_whole_life(world)
    settle = SettlePayment(write=a_write(payment=a_payment(), at=NOW), policy=Policy())
    await world.orders.settle(settle)
    assert len(await types(world)) == 10
    assert await world.pool.fetchval("SELECT count(*) FROM deliveries") == 10


async def test_writes_all_at_once_tell_each_change_once_and_nothing_that_was_overtaken(world: World) -> None:
    await world.subscribe("https://x.example", types=(EventType.ORDER_STATUS,))
    await paid(world.orders, NOW)
    statuses = (OrderStatus.SHIPPED, OrderStatus.PARTIALLY_SHIPPED)
    writes = [a_write(seq=n, status=statuses[n % 2]) for n in range(2, 12)]
    await asyncio.gather(*(world.orders.write(w) for w in [*reversed(writes), *writes]))
    events = [e["data"] for e in await told(world)]
    assert len({e["seq"] for e in events}) == len(events)
    assert [e["seq"] for e in events] == sorted(e["seq"] for e in events)
    # What follows begins where the one before ended.
    assert [e["from_status"] for e in events[1:]] == [e["to_status"] for e in events[:-1]]


async def test_nobody_subscribes_and_nothing_is_written_so_history_is_not_told_later(world: World) -> None:
    await paid(world.orders, NOW)
    await world.subscribe("https://x.example", types=ALL)
    assert await types(world) == []
    await world.orders.write(a_write(seq=2, status=OrderStatus.SHIPPED))
    assert await types(world) == ["order.status_changed"]


async def test_everybody_gets_what_it_asked_for(world: World) -> None:
    await world.subscribe("https://x.example", SubscriberRole.MARKETING, "marketing")
    await world.subscribe("https://x.example", SubscriberRole.WAREHOUSE, "warehouse")
    await world.subscribe("https://x.example", SubscriberRole.FINANCE, "finance")
    await world.subscribe("https://x.example", SubscriberRole.SALES, "sales")
    await paid(world.orders, NOW)
    await refunded(world.orders, NOW)
    rows = await world.pool.fetch(
        """SELECT subscription_id, needs_ack, array_agg(type ORDER BY d.id) AS types FROM deliveries d
           JOIN outbox o ON o.id = d.outbox_id GROUP BY 1, 2 ORDER BY 1, 2"""
    )
    assert [tuple(row) for row in rows] == [
        ("finance", False, ["payment.received"]),
        ("finance", True, ["refund.succeeded"]),
        ("marketing", False, ["order.status_changed"]),
        (
            "sales",
            False,
            [
                "order.status_changed",
                "payment.received",
                "parcel.status_changed",
                "parcel.status_changed",
                "refund.succeeded",
            ],
        ),
        ("warehouse", False, ["parcel.status_changed", "parcel.status_changed"]),
    ]


async def test_a_disabled_subscription_collects_and_a_removed_one_does_not(world: World) -> None:
    for name in ("away", "gone"):
        await world.subscribe("https://x.example", SubscriberRole.MARKETING, name)
    await world.subscriptions.disable("away", "moves", "anna", NOW)
    await world.subscriptions.remove("gone", "anna", NOW)
    await paid(world.orders, NOW)
    assert [d.state for d in await world.subscriptions.deliveries("away")] == ["pending"]
    assert await world.subscriptions.deliveries("gone") == ()


async def test_a_late_write_tells_success_of_a_refund_but_no_old_trouble(world: World) -> None:
    await world.subscribe("https://x.example", types=(EventType.REFUND_SUCCEEDED, EventType.REFUND_ABNORMAL))
    await paid(world.orders, NOW)
    for number in ("R-1", "R-2"):
        await world.orders.write(a_write(seq=5, refunds=(a_refund(number, status=RefundStatus.ACCEPTED),)))
    await world.orders.write(a_write(seq=4, refunds=(a_refund("R-1", status=RefundStatus.SUCCEEDED),)))
    await world.orders.write(a_write(seq=3, refunds=(a_refund("R-1", status=RefundStatus.ABNORMAL),)))
    await world.orders.write(a_write(seq=4, refunds=(a_refund("R-2", status=RefundStatus.ABNORMAL),)))
    assert [(e["type"], e["data"]["refund_no"]) for e in await told(world)] == [("refund.succeeded", "R-1")]


async def test_trouble_with_a_refund_is_told_each_time_it_happens(world: World) -> None:
    await world.subscribe("https://x.example", types=(EventType.REFUND_ABNORMAL,))
    await paid(world.orders, NOW)
    for seq, status in enumerate((RefundStatus.ABNORMAL, RefundStatus.ACCEPTED, RefundStatus.ABNORMAL), 2):
        await world.orders.write(a_write(seq=seq, refunds=(a_refund("R-1", status=status),)))
    assert [e["data"]["seq"] for e in await told(world)] == [2, 4]
    # Saying again what is known, late or not, is no news.
    for seq in (3, 5):
        await world.orders.write(a_write(seq=seq, refunds=(a_refund("R-1", status=RefundStatus.ABNORMAL),)))
    assert [e["data"]["seq"] for e in await told(world)] == [2, 4]


async def test_the_longest_message_is_short_enough_to_be_sent(world: World) -> None:
    await world.subscribe("https://x.example", types=ALL)
    await world.orders.register(an_order(), "run-1", NOW)
    long = "\U0001f4e6" * 5_000
    payment = a_payment().model_copy(update={"transaction_id": "9" * 190, "merchant_id": long})
    await world.orders.settle(SettlePayment(write=a_write(payment=payment), policy=Policy()))
    state = ChildState(child_no=f"{ORDER}-01", status=ChildStatus.SHIPPED, waybill_no="W" * 2_000, carrier=long)
    ticket = TICKET.model_copy(update={"system": long, "step": long})
    await world.orders.write(a_write(seq=2, children=(state,), tickets=(ticket,), at=NOW + timedelta(days=1)))
    sizes = [row["n"] for row in await world.pool.fetch("SELECT octet_length(body) AS n FROM outbox")]
    assert len(sizes) == 6
    assert max(sizes) < MAX_BYTES


async def test_a_ticket_that_no_order_opened_is_told_once(world: World) -> None:
    await world.subscribe("http://127.0.0.1:1/hook", SubscriberRole.OTHER, types=(EventType.TICKET_OPENED,))
    for _ in range(2):
        await world.tickets.open_outside(TICKET, None, NOW)
    body = json.loads(await world.pool.fetchval("SELECT body FROM outbox"))
    assert body["data"] == {
        "order_no": None, "seq": 0, "ticket_id": TICKET.ticket_id, "child_no": None, "system": "wms", "step": "push",
        "severity": "normal",
    }  # fmt: skip
    assert await world.pool.fetchval("SELECT count(*) FROM deliveries") == 1
