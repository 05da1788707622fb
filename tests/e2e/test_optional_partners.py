"""Alipay instead of WeChat Pay, and a source of callbacks that is only a mapping file, through every real door."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime
from typing import Any

from bench.demo.environment import DemoEnvironment, Seen
from bench.demo.orders import provide_stock
from bench.demo.staffing import STAFF
from bench.demo.stories import DemoOrder, cancel_with_consent, received
from bench.load.two_parcels import two_parcel_orders
from domain.order import PaymentTerms, StartOrder
from workflows.order.messages import CancelOrder, ConfirmReceipt

CHILD = "SELECT status FROM child_orders WHERE child_no = $1"
APPLIED = "SELECT key FROM order_events WHERE order_no = $1 AND outcome = 'APPLIED' AND key LIKE $2 ORDER BY key"


async def order_by_alipay(stage: DemoEnvironment) -> StartOrder:
    (order,) = two_parcel_orders(1)
    order = order.model_copy(update={"payment": PaymentTerms(channel="alipay")})
    await ready(stage, order)
    return order


async def ready(stage: DemoEnvironment, order: StartOrder) -> None:
    """Its goods are in stock, the stage watches it."""
    await provide_stock(stage.pool, [DemoOrder("e2e", order, received)])
    stage.seen[order.order_no] = Seen()


async def ledger(stage: DemoEnvironment, sandbox: str, order_no: str, op: str) -> list[dict[str, Any]]:
    rows = (await stage.http.get(f"{stage.sandboxes[sandbox]}/_ledger")).json()
    rows = rows["rows"] if isinstance(rows, dict) else rows
    return [row for row in rows if row["op"] == op and row["order_no"] == order_no]


async def test_an_alipay_order_goes_to_its_end(stage: DemoEnvironment) -> None:
    order = await order_by_alipay(stage)
    await stage.client.start(order)
    await stage.door("alipay", "_scan", {"out_trade_no": order.order_no})
    await stage.pay(order)
    await stage.until(order.order_no, "delivery", lambda s: s.status == "DELIVERED")
    await stage.client.confirm_receipt(order.order_no, ConfirmReceipt(by="buyer"))
    seen = await stage.until(order.order_no, "its end", lambda s: s.ended)
    (captured,) = await ledger(stage, "alipay", order.order_no, "capture")
    paid = await stage.pool.fetch(APPLIED, order.order_no, "%:pay:%")
    assert (seen.status, seen.paid_minor, captured["amount_minor"]) == ("COMPLETED", order.payable_minor, 10_600)
    assert [row["key"] for row in paid] == [f"alipay:pay:{captured['key']}"]
    assert await ledger(stage, "wechat", order.order_no, "create") == []


async def test_a_cancelled_alipay_order_gets_its_money_back_at_alipay_once(stage: DemoEnvironment) -> None:
    order = await order_by_alipay(stage)
    await stage.fault("qimen", "push", "error_before", times=1, order_no=order.order_no)
    await stage.client.start(order)
    await stage.pay(order)
    await stage.until(order.order_no, "payment", lambda s: bool(s.children))
    await stage.office.hire(STAFF)
    await stage.fault("tms", "book", "error_before", times=8, order_no=order.order_no)
    await cancel_with_consent(stage, order.order_no, CancelOrder(by="buyer", reason="changed my mind"))
    seen = await stage.until(order.order_no, "its end", lambda s: s.ended)
    refunds = await ledger(stage, "alipay", order.order_no, "refund_end")
    assert (seen.status, seen.refunded_minor) == ("CLOSED", order.payable_minor)
    assert sum(row["amount_minor"] for row in refunds) == order.payable_minor


async def test_callbacks_of_a_described_source_move_an_order(stage: DemoEnvironment, city: dict[str, str]) -> None:
    """The warehouse's own messages are lost; another system tells of picking and packing instead."""
    (order,) = two_parcel_orders(1)
    order = order.model_copy(update={"lines": order.lines[:1], "payable_minor": 5_600})
    await ready(stage, order)
    await stage.fault("qimen", "callback", "lost_callback", times=50, order_no=order.order_no)
    await stage.client.start(order)
    await stage.pay(order)
    child = f"{order.order_no}-01"
    await stage.until(order.order_no, "the push", lambda s: s.children == ("RELEASED",))
    await tell(stage, city, child, "outbound.picking")
    await stage.until(order.order_no, "picking", lambda s: s.children == ("PICKING",))
    await tell(stage, city, child, "outbound.packed")
    await stage.until(order.order_no, "delivery", lambda s: s.status == "DELIVERED")
    await stage.client.confirm_receipt(order.order_no, ConfirmReceipt(by="buyer"))
    await stage.until(order.order_no, "its end", lambda s: s.ended)
    moved = await stage.pool.fetch(APPLIED, order.order_no, "acme-wms:%")
    assert [row["key"] for row in moved] == [f"acme-wms:{child}:PACKED", f"acme-wms:{child}:PICKING"]


async def tell(stage: DemoEnvironment, city: dict[str, str], child_no: str, event: str) -> None:
    """As a system of any make would: Standard Webhooks, written out here."""
    told = {"event": event, "happened": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}", "order": {"code": child_no}}
    body, message_id = json.dumps(told).encode(), f"msg_{secrets.token_hex(8)}"
    at = str(int(datetime.now(UTC).timestamp()))
    key = base64.b64decode(city["OMS_ACME_WMS_SECRETS"].removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
    reply = await stage.http.post(f"{city['OMS_RELAY_URL']}/hooks/acme-wms", content=body, headers=headers)
    assert reply.status_code == 204, reply.text
