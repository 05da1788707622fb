"""Orders and facts for workflow tests. Amounts in fen."""

import uuid
from datetime import UTC, datetime
from typing import Any

from domain.facts import Fact, Kind
from domain.order import StartOrder
from domain.strict import of

COURIER = frozenset(
    {
        Kind.COLLECTED, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.SIGNED, Kind.COURIER_EXCEPTION,
        Kind.DELIVERY_REFUSED, Kind.RETURNED_TO_SENDER,
    }
)  # fmt: skip
CUPS, TEA = 6_360, 4_240
"""What two cups, and the tea, of `two_parcel_order` cost with their freight."""


def new_number() -> str:
    return f"T{uuid.uuid4().hex[:12].upper()}"


def order_message(**changes: Any) -> dict[str, Any]:
    """Two warehouses, so two parcels: -01 two cups from Hangzhou, -02 one tea from Guangzhou; 10,000 + 600 fen."""
    number = changes.get("order_no") or new_number()
    message = {
        "order_no": number,
        "channel": "mini_program",
        "channel_order_no": number,
        "placed_at": datetime.now(UTC).isoformat(),
        "buyer": {"buyer_id": "b-1"},
        "address": {
            "recipient": "Li Lei", "phone": "13800000000", "province": "浙江省", "city": "杭州市", "street": "1 Road",
        },
        "lines": [
            {"line_id": "L1", "sku": "CUP", "qty": 2, "unit_price_minor": 3000, "tags": {"warehouse": "WH-HZ"}},
            {"line_id": "L2", "sku": "TEA", "qty": 1, "unit_price_minor": 4000, "tags": {"warehouse": "WH-GZ"}},
        ],
        "freight": [{"amount_minor": 600}],
        "payable_minor": 10_600,
    }  # fmt: skip
    return message | changes


def two_parcel_order(**changes: Any) -> StartOrder:
    return of(StartOrder, order_message(**changes))


def one_parcel_order(qty: int = 2, **changes: Any) -> StartOrder:
    """`qty` cups at 3,000 from Hangzhou, no freight: one parcel, -01."""
    line = {"line_id": "L1", "sku": "CUP", "qty": qty, "unit_price_minor": 3000, "tags": {"warehouse": "WH-HZ"}}
    return two_parcel_order(**({"lines": [line], "freight": [], "payable_minor": 3000 * qty} | changes))


def parcels_order(count: int) -> StartOrder:
    """One thing at 1,000 from each of `count` warehouses."""
    lines = [
        {"line_id": f"L{n}", "sku": f"S{n}", "qty": 1, "unit_price_minor": 1000, "tags": {"warehouse": f"WH-{n}"}}
        for n in range(1, count + 1)
    ]
    return two_parcel_order(lines=lines, freight=[], payable_minor=1000 * count)


def fact(kind: Kind, child_no: str, at: datetime, **more: Any) -> Fact:
    source = "kuaidi100" if kind in COURIER else "stock" if kind is Kind.STOCK_ARRIVED else "qimen"
    return Fact(key=f"{source}:{child_no}:{kind}", kind=kind, source=source, occurred_at=at, child_no=child_no, **more)
