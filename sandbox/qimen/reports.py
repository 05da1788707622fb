"""What the warehouse tells the owner of the goods: three kinds of message, each a Qimen document."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.qimen.state import Order
from sandbox.qimen.wire import document, local

CONFIRM = "taobao.qimen.deliveryorder.confirm"
PROCESS = "taobao.qimen.orderprocess.report"
LACK = "taobao.qimen.itemlack.report"


def process(order: Order, status: str, at: datetime) -> bytes:
    """orderprocess.report: one step of the work."""
    return document(
        "request",
        {
            "order": {
                "orderCode": order.code,
                "orderId": order.number,
                "orderType": "JYCK",
                "warehouseCode": order.warehouse,
            },
            "process": {
                "processStatus": status,
                "operatorName": "sandbox",
                "operateTime": local(at),
                "operateInfo": f"order {order.code} is now {status}",
            },
        },
    )


def lack(order: Order, at: datetime) -> bytes:
    """itemlack.report, with orderLineNo besides what Qimen asks, because one item may stand in two lines."""
    items = [
        {
            "orderLineNo": line.line_no,
            "itemCode": line.item,
            "inventoryType": "ZP",
            "planQty": line.planned,
            "lackQty": line.planned - line.actual,
            "reason": "not on the shelf",
        }
        for line in order.lines
        if line.actual is not None and line.actual < line.planned
    ]
    return document(
        "request",
        {
            "warehouseCode": order.warehouse,
            "deliveryOrderCode": order.code,
            "deliveryOrderId": order.number,
            "createTime": local(at),
            "outBizCode": f"LACK-{order.code}",
            "items": {"item": items},
        },
    )


def confirm(order: Order, at: datetime) -> bytes:
    """deliveryorder.confirm: the parcel is out, all that will ever leave."""
    head = {"outBizCode": f"OUT-{order.code}", "confirmType": "0", "orderConfirmTime": local(at)}
    return document("request", standing(order, head | {"operateTime": local(at)}))


def standing(order: Order, more: Mapping[str, Any]) -> dict[str, Any]:
    """How the order stands: head, parcels and lines. Also the answer to deliveryorder.query."""
    head = {
        "deliveryOrderCode": order.code,
        "deliveryOrderId": order.number,
        "warehouseCode": order.warehouse,
        "orderType": "JYCK",
        "status": order.stage,
        "operateTime": local(order.since),
    }
    lines = [
        {
            "orderLineNo": line.line_no,
            "itemCode": line.item,
            "inventoryType": "ZP",
            "planQty": line.planned,
            "actualQty": line.actual,
        }
        for line in order.lines
    ]
    told: dict[str, Any] = {"deliveryOrder": head | dict(more)}
    if order.waybill_no:
        items = [{"itemCode": item, "quantity": quantity} for item, quantity in order.units().items()]
        package = {"logisticsCode": order.carrier, "expressCode": order.waybill_no, "items": {"item": items}}
        told["packages"] = {"package": package}
    return told | {"orderLines": {"orderLine": lines}}
