"""The documents we send, field by field."""

from domain.order import Address
from providers.qimen.models import PushOutbound, QimenLine
from providers.qimen.sign import local_text
from providers.qimen.xml import Tree

SALE = "JYCK"
GOOD = "ZP"


def create(order: PushOutbound) -> Tree:
    """deliveryorder.create. A repeated push is the same document, byte for byte, so no field tells the call's time."""
    head: Tree = [
        ("deliveryOrderCode", order.child_no),
        ("orderType", SALE),
        ("warehouseCode", order.warehouse),
        ("sourcePlatformCode", order.shop),
        ("createTime", local_text(order.placed_at)),
        ("placeOrderTime", local_text(order.placed_at)),
        ("logisticsCode", order.carrier),
        ("receiverInfo", _receiver(order.receiver)),
    ]
    document: list[tuple[str, Tree]] = [
        ("deliveryOrder", head),
        ("orderLines", [("orderLine", _line(line)) for line in order.lines]),
    ]
    if order.buyer_identity:
        document.append(("extendProps", [("buyerIdentity", order.buyer_identity)]))
    return document


def cancel(child_no: str, warehouse: str, reason: str) -> Tree:
    """order.cancel."""
    return [
        ("warehouseCode", warehouse),
        ("orderCode", child_no),
        ("orderType", SALE),
        ("cancelReason", reason),
    ]


def query(child_no: str, warehouse: str) -> Tree:
    """deliveryorder.query."""
    return [("orderCode", child_no), ("warehouseCode", warehouse)]


def _receiver(to: Address) -> Tree:
    return [
        ("name", to.recipient),
        ("zipCode", to.postcode),
        ("mobile", to.phone),
        ("countryCode", to.country),
        ("province", to.province),
        ("city", to.city),
        ("area", to.district),
        ("detailAddress", to.street),
    ]


def _line(line: QimenLine) -> Tree:
    return [
        ("orderLineNo", line.line_id),
        ("itemCode", line.sku),
        ("itemName", line.name),
        ("inventoryType", GOOD),
        ("planQty", line.qty),
    ]
