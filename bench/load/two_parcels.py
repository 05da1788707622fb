"""The order that is measured: two warehouses, so two parcels; paid; every step of its life; short waits."""

import secrets
from datetime import UTC, datetime

from domain.order import Address, Buyer, FreightCharge, OrderLine, SkuTags, StartOrder
from domain.policy import Policy

BENCH_POLICY = Policy(receipt_s=120, window_s=1)


IN_STEP = ("WH-A", "WH-B")
OUT_OF_STEP = ("WH-A", "WH-SLOW")
SLOW = {"SANDBOX_QIMEN_SLOWER": "WH-SLOW=2.2"}
"""For the sandboxes: the second warehouse of an order that is out of step takes so much longer, so that nothing of the
second parcel is told at the same moment as something of the first."""


def two_parcel_orders(n: int, warehouses: tuple[str, str] = IN_STEP) -> list[StartOrder]:
    run = secrets.token_hex(3).upper()
    return [_order(f"B{run}-{i:04d}", warehouses) for i in range(n)]


def _order(number: str, warehouses: tuple[str, str]) -> StartOrder:
    lines = tuple(
        OrderLine(
            line_id=f"L{i}", sku=f"BENCH-{warehouse}", qty=1, unit_price_minor=5000, weight_g=500,
            tags=SkuTags(warehouse=warehouse),
        )
        for i, warehouse in enumerate(warehouses, start=1)
    )  # fmt: skip
    return StartOrder(
        order_no=number,
        channel="bench",
        channel_order_no=number,
        placed_at=datetime.now(UTC),
        buyer=Buyer(buyer_id="bench"),
        address=Address(recipient="Li Lei", phone="13800000000", province="浙江省", city="杭州市", street="1 Road"),
        lines=lines,
        freight=(FreightCharge(amount_minor=600),),
        payable_minor=10_600,
    )
