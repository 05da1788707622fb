"""Orders, writes and facts to test with: one order of two lines in two warehouses, 100.00 + 2.00 freight."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.facts import Fact, Kind
from domain.order import Address, Buyer, FreightCharge, OrderLine, SkuTags, StartOrder
from domain.policy import Policy
from domain.records import EventRecord, OrderWrite, Payment, RefundRecord, Settled, SettlePayment
from domain.states import OrderStatus, Outcome, PaymentStatus, RefundStatus
from store.orders.orders import OrderStore

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
PAYABLE = 10_200
ADDRESS = Address(recipient="王芳", phone="13800138000", province="浙江省", city="杭州市", street="文三路 1 号")


def an_order(order_no: str = "SO20261120", **changes: Any) -> StartOrder:
    """Line L1: 3 × A from WH-1, line L2: 2 × B from WH-2."""
    fields: dict[str, Any] = {
        "order_no": order_no,
        "channel": "shop",
        "channel_order_no": f"C-{order_no}",
        "placed_at": NOW,
        "buyer": Buyer(buyer_id="b-1"),
        "address": ADDRESS,
        "lines": (
            OrderLine(line_id="L1", sku="A", qty=3, unit_price_minor=2_000, tags=SkuTags(warehouse="WH-1")),
            OrderLine(line_id="L2", sku="B", qty=2, unit_price_minor=2_000, tags=SkuTags(warehouse="WH-2")),
        ),
        "freight": (FreightCharge(amount_minor=200, basis="qty"),),
        "payable_minor": PAYABLE,
    }
    return StartOrder(**{**fields, **changes})


def a_payment(order_no: str = "SO20261120", transaction: str | None = None, amount: int = PAYABLE) -> Payment:
    number = transaction or f"TX-{order_no}"
    return Payment(
        key=f"wechat:pay:{number}",
        channel="wechat",
        transaction_id=number,
        merchant_id="m-1",
        amount_minor=amount,
        currency="CNY",
        paid_at=NOW + timedelta(minutes=1),
    )


def a_write(order_no: str = "SO20261120", seq: int = 1, **changes: Any) -> OrderWrite:
    fields: dict[str, Any] = {
        "order_no": order_no,
        "seq": seq,
        "at": NOW + timedelta(minutes=seq),
        "status": OrderStatus.AWAITING_SHIPMENT,
        "payment_status": PaymentStatus.PAID,
        "waiting_for": f"what comes after {seq}",
        "needs_attention": False,
    }
    return OrderWrite(**{**fields, **changes})


def an_event(key: str = "wechat:pay:TX-1", outcome: Outcome = Outcome.APPLIED, **changes: Any) -> EventRecord:
    fields: dict[str, Any] = {
        "key": key,
        "kind": Kind.PAYMENT_SUCCEEDED,
        "source": "wechat",
        "occurred_at": NOW,
        "outcome": outcome,
        "from_status": "PENDING_PAYMENT",
        "to_status": "AWAITING_SHIPMENT",
    }
    return EventRecord(**{**fields, **changes})


def a_fact(key: str = "wechat:pay:TX-1", **changes: Any) -> Fact:
    fields: dict[str, Any] = {
        "key": key,
        "kind": Kind.PAYMENT_SUCCEEDED,
        "source": "wechat",
        "occurred_at": NOW,
    }
    return Fact(**{**fields, **changes})


def a_refund(
    number: str = "R-1", amount: int = 100, status: RefundStatus = RefundStatus.REQUESTED, **units: int
) -> RefundRecord:
    return RefundRecord(refund_no=number, amount_minor=amount, status=status, reason="cancelled", units=units)


async def a_settled_order(orders: OrderStore, order_no: str = "SO20261120") -> Settled:
    """Registered and paid at seq 1; reserves what the stock holds."""
    await orders.register(an_order(order_no), "run-1", NOW)
    return await orders.settle(SettlePayment(write=a_write(order_no, payment=a_payment(order_no)), policy=Policy()))
