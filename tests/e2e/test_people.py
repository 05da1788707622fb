"""What people do with `oms`: look, cancel, answer tickets, receive goods, look at events and have them told again."""

import asyncio
import json
from collections import Counter

import pytest

from bench.demo.environment import DemoEnvironment, Seen
from bench.demo.staffing import STAFF
from bench.load.two_parcels import two_parcel_orders
from domain.access.authority import Binding, message_hash
from domain.order import StartOrder
from store.approvals.approvals import ApprovalStore
from tests.e2e.lives import orders_with_goods, play, the_books_are_right
from tests.e2e.programs import Said, oms, temporal
from tests.e2e.stillness import silence, status
from workflows.messages import order_workflow_id

SOME_ENDED_ORDER = """SELECT o.order_no FROM orders o JOIN inbox i USING (order_no)
    WHERE o.ended_at IS NOT NULL AND o.status = 'COMPLETED' AND o.refunded_minor = 0 AND i.source = 'wechat'
        AND i.state = 'applied' LIMIT 1"""
PAID = "SELECT o.paid_minor, p.amount_minor FROM orders o JOIN payments p USING (order_no) WHERE order_no = $1"


async def paid(stage: DemoEnvironment, order: StartOrder) -> None:
    await stage.client.start(order)
    await stage.pay(order)


async def the_ticket(stage: DemoEnvironment, city: dict[str, str], number: str) -> dict[str, object]:
    await stage.until(number, "a ticket", lambda s: s.ticket_id is not None)
    (ticket,) = (await oms(city, "ticket", "list", "--order", number, "--json")).json
    assert ticket["state"] == "open"
    found: dict[str, object] = ticket
    return found


async def received(stage: DemoEnvironment, city: dict[str, str], number: str) -> None:
    """Delivered, confirmed by the buyer, and over."""
    await stage.until(number, "delivery", lambda s: s.status == "DELIVERED")
    assert (await oms(city, "order", "confirm", number, "--by", "buyer", "--json")).json["confirmed"] is True
    seen = await stage.until(number, "its end", lambda s: s.ended)
    assert seen.status == "COMPLETED"


async def asked_of(stage: DemoEnvironment, approval_id: str) -> None:
    """Returns once the question is in the books."""
    async with asyncio.timeout(stage.patience_s):
        while await ApprovalStore(stage.pool).get(approval_id) is None:
            await asyncio.sleep(0.2)


async def test_a_buyers_cancel_stops_the_warehouse_and_gives_the_money_back(
    stage: DemoEnvironment, city: dict[str, str], replayed: Counter[str]
) -> None:
    await stage.office.hire(STAFF)
    (order,) = await orders_with_goods(stage, 1)
    number = order.order_no
    # Without a label no parcel leaves the house, so the warehouse can still be stopped, however slow this machine is.
    await stage.fault("tms", "book", "error_before", times=8, order_no=number)
    await paid(stage, order)
    await stage.until(number, "packed parcels", lambda s: s.children == ("PACKED", "PACKED"))
    said = await oms(city, "order", "cancel", number, "--reason", "found it cheaper", "--by", "buyer", "--json")
    assert said.json["cancelled"] == [] and said.json["approval_id"] == f"A-{number}-1"
    for person, asked in (("demo-supervisor", f"A-{number}-1"), ("demo-finance", f"A-{number}-2")):
        await asked_of(stage, asked)
        decided = await oms(city, "approve", "approve", asked, "--as", person, "--remark", "agreed with the buyer")
        assert decided.code == 0, decided.err
    seen = await stage.until(number, "its end", lambda s: s.ended)
    assert (seen.status, seen.children, seen.refunded_minor) == ("CLOSED", ("CANCELLED", "CANCELLED"), 10_600)
    again = await oms(city, "order", "cancel", number, "--reason", "found it cheaper", "--json")
    assert (again.code, again.refusal) == (1, "Ended")
    assert "is over" in again.err
    await the_books_are_right(stage, replayed)


async def test_a_ticket_of_a_warehouse_outage_is_answered_and_the_order_goes_on(
    stage: DemoEnvironment, city: dict[str, str]
) -> None:
    (order,) = await orders_with_goods(stage, 1)
    number = order.order_no
    await stage.fault("qimen", "push", "error_before", times=4, child_no=f"{number}-01")
    await paid(stage, order)
    ticket = await the_ticket(stage, city, number)
    assert (ticket["system"], ticket["child_no"]) == ("qimen", f"{number}-01")
    answer = ("--retry", "--remark", "the warehouse is back", "--by", "anna", "--json")
    done = await oms(city, "ticket", "resolve", str(ticket["ticket_id"]), *answer)
    assert done.json == {"ticket_id": ticket["ticket_id"], "action": "retry", "approval_id": None}
    await received(stage, city, number)
    shown, second = await asyncio.gather(
        oms(city, "ticket", "show", str(ticket["ticket_id"]), "--json"),
        oms(city, "ticket", "resolve", str(ticket["ticket_id"]), *answer),
    )
    assert (shown.json["state"], shown.json["action"], shown.json["resolved_by"]) == ("resolved", "retry", "anna")
    assert second.json == done.json, "the same words again get the first answer, after the end too"
    other = await oms(city, "ticket", "resolve", str(ticket["ticket_id"]), "--give-up", *answer[1:])
    assert (other.code, other.err.count("\n"), bool(other.refusal)) == (1, 1, True)


async def test_a_backorder_waits_for_goods_and_goes_on_when_they_are_received(
    stage: DemoEnvironment, city: dict[str, str]
) -> None:
    (order,) = two_parcel_orders(1)
    number = order.order_no
    first, second = order.lines
    order = order.model_copy(update={"lines": (first.model_copy(update={"sku": f"NEW-{number}"}), second)})
    await oms(city, "stock", "receive", second.sku, "WH-B", "1", "--ref", f"GR-{number}-0", "--by", "anna")
    stage.seen[number] = Seen()
    await paid(stage, order)
    await stage.until(number, "a backorder", lambda s: "BACKORDER" in s.children)
    goods = ("stock", "receive", f"NEW-{number}", "WH-A", "1", "--ref", f"GR-{number}", "--by", "anna", "--json")
    got = (await oms(city, *goods)).json
    assert (got["booked"], got["told"]) == (True, [f"{number}-01"])
    again = (await oms(city, *goods)).json
    assert again["booked"] is False, "the same receipt counts once"
    await received(stage, city, number)
    (stock,) = (await oms(city, "stock", "show", f"NEW-{number}", "--json")).json
    assert (stock["available"], stock["reserved"], stock["shipped"]) == (0, 0, 1)


async def test_an_order_is_refreshed_shown_and_listed(stage: DemoEnvironment, city: dict[str, str]) -> None:
    for _ in range(6):  # the watch over payments may have asked just before
        (order,) = await orders_with_goods(stage, 1)
        number = order.order_no
        await stage.fault("wechat", "callback", "lost_callback", order_no=number)
        await paid(stage, order)
        refreshed = (await oms(city, "order", "refresh", number, "--by", "anna", "--json")).json
        if any("PAID" in change for change in refreshed["changes"]):
            break
    assert any("PAID" in change for change in refreshed["changes"]), refreshed
    await stage.until(number, "parcels", lambda s: len(s.children) == 2)
    shown, listed = await asyncio.gather(
        oms(city, "order", "show", number, "--json"),
        oms(city, "order", "list", "--channel", "bench", "--limit", "1000", "--json"),
    )
    assert shown.json["detail"]["order"]["payment_status"] == "PAID"
    assert [child["child_no"] for child in shown.json["detail"]["children"]] == [f"{number}-01", f"{number}-02"]
    assert [p["amount_minor"] for p in shown.json["detail"]["payments"]] == [10_600]
    assert number in [row["order_no"] for row in listed.json]


async def test_an_event_is_listed_shown_and_told_again_without_effect(
    stage: DemoEnvironment, city: dict[str, str]
) -> None:
    number = await stage.pool.fetchval(SOME_ENDED_ORDER)
    if number is None:
        (order,) = await orders_with_goods(stage, 1)
        await play(stage, [order])
        number = order.order_no
    (event,) = (await oms(city, "event", "list", "--source", "wechat", "--order", number, "--json")).json
    shown = (await oms(city, "event", "show", str(event["id"]), "--body", "--json")).json
    assert shown["event"]["facts"][0]["order_no"] == number
    assert "TRANSACTION.SUCCESS" in shown["body"]
    await silence(stage)
    tickets = await stage.pool.fetchval("SELECT count(*) FROM tickets")
    said = (await oms(city, "event", "replay", str(event["id"]), "--yes", "--by", "anna", "--json")).json
    assert (said["replayed"], said["events"][0]["facts"][0]["effect"]) == (1, "duplicate")
    await silence(stage)
    assert (await oms(city, "event", "show", str(event["id"]), "--json")).json["event"]["state"] == "duplicate"
    (money,) = await stage.pool.fetch(PAID, number)
    assert money["paid_minor"] == money["amount_minor"], "booked once"
    assert await stage.pool.fetchval("SELECT count(*) FROM tickets") == tickets, "nobody is asked about it"


async def test_refresh_answers_to_tickets_and_receipt_work_from_a_client_of_any_language(
    stage: DemoEnvironment, city: dict[str, str]
) -> None:
    (order,) = await orders_with_goods(stage, 1)
    number, at = order.order_no, ("--workflow-id", order_workflow_id(order.order_no))

    async def update(name: str, *, proven: bool = True, **message: str) -> Said:
        if proven and name != "refresh":
            assert stage.prover is not None
            binding = Binding(at[1], f"order.{name}", message_hash(message))
            message["proof"] = await stage.prover(binding, message["by"])
        told = ("--name", name, "--input", json.dumps(message), "-o", "json")
        return await temporal(city, "update", "execute", *at, *told)

    await stage.fault("qimen", "push", "error_before", times=4, child_no=f"{number}-01")
    await paid(stage, order)
    ticket = str((await the_ticket(stage, city, number))["ticket_id"])
    refreshed = await update("refresh", by="ops-anna")
    assert set(refreshed.json["result"]) == {"as_of", "changes"}
    wrong = await update("resolve_ticket", ticket_id="T-none", action="retry", remark="x", by="ops-anna")
    assert wrong.code != 0 and "T-none" in wrong.out + wrong.err
    remark = "warehouse is back"
    answered = await update("resolve_ticket", ticket_id=ticket, action="retry", remark=remark, by="ops-anna")
    assert answered.code == 0, answered
    await stage.until(number, "delivery", lambda s: s.status == "DELIVERED")
    unproven = await update("confirm_receipt", proven=False, by=order.buyer.buyer_id)
    assert (unproven.code, "has proven to be" in unproven.out + unproven.err) == (1, True), unproven
    received = await update("confirm_receipt", by=order.buyer.buyer_id)
    assert received.code == 0, received
    await stage.until(number, "its end", lambda s: s.ended)
    assert stage.seen[number].status == "COMPLETED"


@pytest.mark.parametrize("words", [("order", "show"), ("order", "cancel"), ("order", "refresh"), ("ticket", "show")])
async def test_what_does_not_exist_is_said_in_one_line(
    stage: DemoEnvironment, city: dict[str, str], words: tuple[str, ...]
) -> None:
    more = ("--reason", "none") if words[1] == "cancel" else ()
    said = await oms(city, *words, "NOBODY-1", *more, "--json")
    assert (said.code, said.err.count("\n"), bool(said.refusal)) == (1, 1, True)
    assert "NOBODY-1" in said.err
    assert await stage.pool.fetchval("SELECT count(*) FROM orders WHERE order_no = 'NOBODY-1'") == 0
    assert await status(stage, order_workflow_id("NOBODY-1")) is None
