"""An order as applications are judged by it: L1 (4 × A) signed for, L2 (2 × B) still waiting."""

from datetime import UTC, datetime
from typing import Any

from domain.order import SkuTags
from domain.records import PricedLine
from domain.returns.enums import Reason, ReturnType
from domain.returns.facts import ParcelUnits, ReturnLineFacts, ReturnOrderFacts
from domain.returns.models import Actor, ApplyReturn
from domain.shares import UnitShare, freeze

SIGNED = datetime(2026, 5, 1, 7, 0, tzinfo=UTC)
"""15:00 in Shanghai."""
PICTURE = "0123456789abcdef"


def shares(line_id: str, qty: int, net: int, freight: int = 0) -> tuple[UnitShare, ...]:
    return freeze(
        PricedLine(
            line_id=line_id, sku="A", qty=qty, unit_price_minor=0, gross_minor=net, discount_minor=0, coupon_minor=0,
            net_minor=net, freight_minor=freight, paid_minor=net + freight, weight_g=0, tags=SkuTags(warehouse="W"),
        )
    )  # fmt: skip


def a_line(line_id: str = "L1", **changes: Any) -> ReturnLineFacts:
    fields: dict[str, Any] = {
        "line_id": line_id,
        "sku": "A",
        "warehouse": "WH-1",
        "qty": 4,
        "shares": shares(line_id, 4, 1_001, 10),
        "shipped": (ParcelUnits(line_id=line_id, child_no="SO-1-01", first_unit=0, units=4, signed_at=SIGNED),),
        "left": 4,
    }
    return ReturnLineFacts(**{**fields, **changes})


def a_waiting_line(line_id: str = "L2", **changes: Any) -> ReturnLineFacts:
    fields: dict[str, Any] = {
        "qty": 2,
        "shares": shares(line_id, 2, 300),
        "shipped": (),
        "waiting": (ParcelUnits(line_id=line_id, child_no="SO-1-02", first_unit=0, units=2),),
        "left": 2,
    }
    return a_line(line_id, **{**fields, **changes})


def an_order(*lines: ReturnLineFacts, **changes: Any) -> ReturnOrderFacts:
    fields: dict[str, Any] = {
        "order_no": "SO-ORDER-1",
        "buyer_id": "b-1",
        "currency": "CNY",
        "paid": True,
        "ended": False,
        "lines": lines or (a_line(), a_waiting_line()),
    }
    return ReturnOrderFacts(**{**fields, **changes})


def an_application(**changes: Any) -> ApplyReturn:
    fields: dict[str, Any] = {
        "return_no": "RT-CASE-1",
        "order_no": "SO-ORDER-1",
        "type": ReturnType.RETURN_REFUND,
        "channel": "app",
        "actor": Actor(kind="buyer", id="b-1"),
        "lines": {"L1": 1},
        "reason": Reason.NO_REASON,
        "evidence": (PICTURE,),
    }
    return ApplyReturn(**{**fields, **changes})
