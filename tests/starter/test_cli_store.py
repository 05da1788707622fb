"""The CLI on a real database: what is shown is what the store holds, and what is typed in is booked once."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.local.logins import as_role
from domain.facts import Fact, Kind
from domain.order import StartOrder
from domain.policy import Policy
from domain.records import (
    EventRecord,
    OrderWrite,
    Payment,
    SettlePayment,
    TicketRecord,
)
from domain.states import OrderStatus, Outcome, PaymentStatus
from domain.strict import parse
from store.audit.audit import AuditStore
from store.inbox.inbox import InboxStore, Incoming
from store.inbox.listing import InboxListing
from store.orders.orders import OrderStore
from store.pool import Pool, open_pool
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from tests.postgres import database_url
from tests.starter.conftest import EXAMPLES, Oms

__all__ = ["database_url"]

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
NUMBER = "SO2603020101"
PHONE = json.loads((EXAMPLES / "order.json").read_bytes())["address"]["phone"]
Store = Callable[[Callable[[Pool], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture
def store(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Runs a coroutine function on a pool of this test's database; `oms` sees the same database."""
    monkeypatch.setenv("OMS_DATABASE_URL", as_role(database_url, "oms_operator"))

    async def on_pool(work: Callable[[Pool], Coroutine[Any, Any, Any]]) -> Any:
        pool = await open_pool(database_url, max_size=2)
        try:
            return await work(pool)
        finally:
            await pool.close()

    return lambda work: asyncio.run(on_pool(work))


@pytest.fixture
def paid_order(store: Store) -> StartOrder:
    """examples/order.json, paid, one of its two mugs missing: three parcels, an event and an open ticket."""
    order = parse(StartOrder, (EXAMPLES / "order.json").read_bytes())

    async def seed(pool: Pool) -> None:
        await StockStore(pool).receive("MUG-RED", "WH-EAST", 1, "GR-1")
        await StockStore(pool).receive("TEA-GREEN-250", "WH-SOUTH", 9, "GR-1")
        orders = OrderStore(pool)
        await orders.register(order, "run-1", NOW)
        await orders.settle(SettlePayment(write=_paid(order), policy=Policy()))

    store(seed)
    return order


def _paid(order: StartOrder) -> OrderWrite:
    payment = Payment(
        key="wechat:pay:4200001",
        channel="wechat",
        transaction_id="4200001",
        merchant_id="1900000109",
        amount_minor=order.payable_minor,
        currency="CNY",
        paid_at=NOW,
    )
    event = EventRecord(
        key=payment.key,
        kind=Kind.PAYMENT_SUCCEEDED,
        source="wechat",
        occurred_at=NOW,
        outcome=Outcome.APPLIED,
        from_status="PENDING_PAYMENT",
        to_status="AWAITING_SHIPMENT",
        note="spoof\x1b[2J\u202e",
    )
    ticket = TicketRecord(
        ticket_id=f"T-{NUMBER}-1", system="qimen", step="push", error="HTTP 503", give_up_means="money goes back"
    )
    return OrderWrite(
        order_no=order.order_no,
        seq=1,
        at=NOW + timedelta(seconds=1),
        status=OrderStatus.AWAITING_SHIPMENT,
        payment_status=PaymentStatus.PAID,
        waiting_for="warehouse",
        needs_attention=True,
        payment=payment,
        events=(event,),
        tickets=(ticket,),
    )


@pytest.mark.usefixtures("paid_order")
def test_show_tells_parcels_reasons_money_timeline_and_tickets(oms: Oms) -> None:
    said = oms("order", "show", NUMBER)
    assert said.code == 0, said.err
    for text in (
        "AWAITING_SHIPMENT", "195.80 CNY", f"{NUMBER}-01", "BACKORDER", "warehouse=WH-EAST", "PAYMENT_SUCCEEDED",
        "PENDING_PAYMENT → AWAITING_SHIPMENT", f"T-{NUMBER}-1", "2026-03-02 10:30:01",
    ):  # fmt: skip
        assert text in said.out, text
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out
    assert "spoof\\u001b[2J\\u202e" in said.out


@pytest.mark.usefixtures("paid_order")
def test_show_finds_the_order_by_parcel_number_and_json_keeps_minor_units(oms: Oms) -> None:
    shown = oms("order", "show", f"{NUMBER}-02", "--json")
    assert "\u202e" not in shown.out
    found = shown.json
    assert found["detail"]["order"]["order_no"] == NUMBER
    assert sum(child["paid_minor"] for child in found["detail"]["children"]) == 19580
    assert "spoof\x1b[2J\u202e" in [e["note"] for e in found["timeline"]]


def test_show_finds_the_order_by_whatever_number_somebody_has_in_hand(oms: Oms, paid_order: StartOrder) -> None:
    for known in (paid_order.channel_order_no, "4200001", paid_order.buyer.buyer_id, PHONE[-4:]):
        found = oms("order", "show", known, "--json")
        assert (found.code, found.json["detail"]["order"]["order_no"]) == (0, NUMBER), known
    placed, paid = [e["title"] for e in found.json["timeline"] if e["what"] in ("order", "event")]
    assert (placed, paid) == ("PLACED", "PAYMENT_SUCCEEDED")
    assert oms("order", "show", "nobody").err.startswith("Error: nothing is known under 'nobody'")


def test_several_orders_of_one_buyer_are_named_and_none_is_chosen(
    oms: Oms, store: Store, paid_order: StartOrder
) -> None:
    other = paid_order.model_copy(update={"order_no": "SO2603020102", "channel_order_no": "WX-OTHER"})
    store(lambda pool: OrderStore(pool).register(other, "run-2", NOW))
    said = oms("order", "show", paid_order.buyer.buyer_id)
    assert (said.code, "SO2603020101" in said.err and "SO2603020102" in said.err) == (1, True)


@pytest.mark.usefixtures("paid_order")
def test_a_name_and_an_address_are_shown_to_who_says_so_and_leaves_a_row(oms: Oms, store: Store) -> None:
    def rows() -> list[Any]:
        return [row for row in store(lambda pool: AuditStore(pool).list()) if row.action == "personal.read"]

    for more in ((), ("--json",)):
        said = oms("order", "show", NUMBER, *more).out
        assert "王小明" not in said and PHONE not in said and not rows()
    assert "王小明" in oms("order", "show", NUMBER, "--personal", "--by", "u-cs").out
    (row,) = rows()
    assert (row.actor, row.order_no, row.detail) == ("u-cs", NUMBER, {"what": "address", "number": NUMBER})
    assert PHONE in oms("order", "show", f"{NUMBER}-01", "--personal", "--json").out and len(rows()) == 2


def test_show_of_an_unknown_number_is_exit_1(oms: Oms, store: Store) -> None:
    for number in ("SO-NOWHERE", "' OR 1=1 --", "\x00"):
        said = oms("order", "show", number)
        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)


@pytest.mark.usefixtures("paid_order")
def test_list_narrows_down(oms: Oms) -> None:
    assert [o["order_no"] for o in oms("order", "list", "--attention", "--json").json] == [NUMBER]
    assert oms("order", "list", "--status", "CLOSED", "--json").json == []
    assert oms("order", "list", "--channel", "'; DROP TABLE orders", "--json").json == []
    assert NUMBER in oms("order", "list", "--status", "AWAITING_SHIPMENT", "--channel", "wechat-shop").out


@pytest.mark.usefixtures("paid_order", "at_desk")
def test_received_goods_count_once_and_wake_the_waiting_parcel(oms: Oms, store: Store) -> None:
    arguments = ("stock", "receive", "MUG-RED", "WH-EAST", "5", "--ref", "GR-2", "--by", "anna", "--json")
    first, again = oms(*arguments).json, oms(*arguments).json
    assert (first["booked"], again["booked"]) == (True, False)
    waiting = first["told"]
    assert waiting == again["told"]
    assert len(waiting) == 1

    async def facts(pool: Pool) -> list[dict[str, Any]]:
        rows = await InboxListing(pool).list(source="stock")
        return [dict(fact) for row in rows for fact in row.facts]

    told = store(facts)
    assert [(f["kind"], f["child_no"], f["order_no"]) for f in told] == [("STOCK_ARRIVED", waiting[0], NUMBER)]
    parse(Fact, json.dumps(told[0]))
    assert oms("stock", "show", "MUG-RED", "--json").json[0]["available"] == 5
    audit = store(lambda pool: AuditStore(pool).list(actor="anna"))
    assert [entry.action for entry in audit if entry.action != "command.admitted"] == ["stock.receive"]


@pytest.mark.usefixtures("at_desk")
def test_goods_for_several_orders_are_told_longest_paid_first(oms: Oms, store: Store) -> None:
    template = parse(StartOrder, (EXAMPLES / "order.json").read_bytes())

    async def seed(pool: Pool) -> None:
        orders = OrderStore(pool)
        for number, minutes in (("SO-LATER1", 9), ("SO-FIRST1", 1), ("SO-MIDDLE", 5)):
            order = template.model_copy(update={"order_no": number, "channel_order_no": number})
            await orders.register(order, f"run-{number}", NOW)
            write = _paid(order)
            assert write.payment is not None
            payment = write.payment.model_copy(
                update={
                    "key": number,
                    "transaction_id": number,
                    "paid_at": NOW + timedelta(minutes=minutes),
                }
            )
            write = write.model_copy(update={"payment": payment, "tickets": ()})
            await orders.settle(SettlePayment(write=write, policy=Policy()))

    store(seed)
    told = oms("stock", "receive", "TEA-GREEN-250", "WH-SOUTH", "1", "--ref", "GR-1", "--by", "anna", "--json").json[
        "told"
    ]
    assert [number[:9] for number in told] == ["SO-FIRST1", "SO-MIDDLE", "SO-LATER1"]


@pytest.mark.usefixtures("at_desk")
def test_a_receipt_with_another_quantity_is_refused(oms: Oms, store: Store) -> None:
    assert oms("stock", "receive", "A", "WH-1", "5", "--ref", "GR-1", "--by", "anna").code == 0
    said = oms("stock", "receive", "A", "WH-1", "6", "--ref", "GR-1", "--by", "anna")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "GR-1" in said.err


def test_tickets_are_listed_shown_and_an_outside_one_resolved(oms: Oms, store: Store) -> None:
    record = TicketRecord(
        ticket_id="T-inbox-7", system="wechat", step="deliver", error="order unknown\nfor hours", actions=("give_up",)
    )
    store(lambda pool: TicketStore(pool).open_outside(record, None, NOW))
    assert [t["ticket_id"] for t in oms("ticket", "list", "--json").json] == ["T-inbox-7"]
    assert "--give-up" in oms("ticket", "show", "T-inbox-7").out
    refused = oms("ticket", "resolve", "T-inbox-7", "--retry", "--remark", "again")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    done = oms("ticket", "resolve", "T-inbox-7", "--give-up", "--remark", "a test payment", "--by", "anna")
    assert done.code == 0, done.err
    again = ("ticket", "resolve", "T-inbox-7", "--give-up", "--by", "anna", "--remark")
    assert (oms(*again, "a test payment").code, oms(*again, "no, otherwise").code) == (0, 1)
    shown = oms("ticket", "show", "T-inbox-7", "--json").json
    assert (shown["state"], shown["resolved_by"], shown["remark"]) == ("resolved", "anna", "a test payment")
    assert oms("ticket", "list", "--json").json == []
    assert oms("ticket", "show", "T-inbox-8").code == 1


def test_events_are_listed_shown_and_replayed(oms: Oms, store: Store) -> None:
    fact = Fact(key="k-1", kind=Kind.SIGNED, source="kuaidi100", occurred_at=NOW, waybill_no="SF1")
    message = Incoming("kuaidi100", "e-1", "push", b"d" * 32, b'{"x":"\xe7\x8e\x8b"}', (fact,), NOW)

    async def park(pool: Pool) -> None:
        await InboxStore(pool).add_many([message])
        await InboxStore(pool).park([1], "no such waybill yet")

    store(park)
    rows = oms("event", "list", "--state", "parked", "--source", "kuaidi100", "--json").json
    assert [(r["id"], r["note"]) for r in rows] == [(1, "no such waybill yet")]
    assert "王" not in oms("event", "show", "1").out
    assert oms("event", "show", "1", "--body", "--json").json["body"] == '{"x":"王"}'
    (row,) = [row for row in store(lambda pool: AuditStore(pool).list()) if row.action == "personal.read"]
    assert row.detail == {"what": "message", "number": "1"}
    assert oms("event", "replay", "1", "--by", "anna", "--yes").code == 0
    assert oms("event", "list", "--state", "received", "--json").json[0]["note"] == "replayed by anna"
    assert oms("event", "replay", "2").code == 1
    assert oms("event", "show", "2").code == 1


def test_catalogue_keeps_good_rows_and_tells_bad_ones(oms: Oms, store: Store, tmp_path: Any) -> None:
    assert oms("catalog", "put", str(EXAMPLES / "catalog.csv")).code == 0
    file = tmp_path / "more.csv"
    file.write_text("sku,warehouse,logistics\nNEW-1,WH-1,\nNEW 2,WH-1,\nNEW-3,W!,\nNEW-1,WH-2,\n", encoding="utf-8")
    said = oms("catalog", "put", str(file), "--json")
    assert said.code == 1
    assert said.json["put"] == 1
    assert [b["row"] for b in said.json["bad"]] == [3, 4, 5]
    found = {e["sku"]: e for e in oms("catalog", "list", "--json").json}
    new = found["NEW-1"]
    assert (new["ship_from"], new["supplier"], new["logistics"], new["customs"]) == (
        ["WH-1"], "SELF", "ambient", "domestic",
    )  # fmt: skip
    assert "龙井绿茶" in oms("catalog", "list").out
