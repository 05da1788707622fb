"""Orders for tests: one plain order to vary, and a strategy for arbitrary ones."""

from datetime import UTC, datetime
from typing import Any, Literal

from hypothesis import strategies as st

from domain.order import (
    Address,
    Buyer,
    Coupon,
    FreightCharge,
    FreightTemplate,
    OrderLine,
    SkuTags,
    StartOrder,
)
from domain.records import Priced

TAGS = SkuTags(warehouse="WH-1")


def order(*lines: OrderLine, **fields: Any) -> StartOrder:
    message: dict[str, Any] = {
        "order_no": "SO-TEST-1",
        "channel": "shop",
        "channel_order_no": "1",
        "placed_at": datetime(2026, 3, 2, tzinfo=UTC),
        "buyer": Buyer(buyer_id="b1"),
        "address": Address(recipient="Li", phone="13800000000", province="Zhejiang", city="Hangzhou", street="1"),
        "lines": lines,
        "payable_minor": 0,
    }
    return StartOrder(**(message | fields))


def line(line_id: str, qty: int, unit_price_minor: int, **fields: Any) -> OrderLine:
    return OrderLine(line_id=line_id, sku=f"SKU-{line_id}", qty=qty, unit_price_minor=unit_price_minor, **fields)


def tags_of(start: StartOrder) -> dict[str, SkuTags]:
    return {given.line_id: given.tags or TAGS for given in start.lines}


def money(priced: Priced) -> list[tuple[int, int, int]]:
    """Coupon, net and freight by line."""
    return [(given.coupon_minor, given.net_minor, given.freight_minor) for given in priced.lines]


_fen = st.integers(0, 200_000)
_tags = st.builds(
    SkuTags,
    warehouse=st.sampled_from(["WH-1", "WH-2", "WH-3"]),
    supplier=st.sampled_from(["SELF", "SUP-A"]),
    logistics=st.sampled_from(["ambient", "cold"]),
    customs=st.sampled_from(["domestic", "cbec"]),
)
_template = st.builds(
    FreightTemplate,
    mode=st.sampled_from(["qty", "weight_g"]),
    first=st.integers(1, 3000),
    first_fee_minor=st.integers(0, 2000),
    extra=st.integers(1, 1000),
    extra_fee_minor=st.integers(0, 500),
    free_over_minor=st.none() | _fen,
)


@st.composite
def orders(draw: st.DrawFn) -> StartOrder:
    ids = [f"L{n}" for n in range(1, draw(st.integers(1, 8)) + 1)]
    lines = [draw(_lines(line_id)) for line_id in ids]
    every: Literal["all"] = "all"
    named = st.just(every) | st.lists(st.sampled_from(ids), min_size=1, unique=True).map(tuple)
    coupons = [
        Coupon(coupon_id=f"C{n}", amount_minor=draw(_fen), lines=draw(named)) for n in range(draw(st.integers(0, 3)))
    ]
    basis = st.sampled_from(["net_amount", "qty", "weight_g"])
    fixed = st.builds(FreightCharge, amount_minor=_fen, basis=basis, lines=named)
    by_template = st.builds(FreightCharge, template=_template, basis=basis, lines=named)
    freight = draw(st.lists(fixed | by_template, max_size=3))
    return order(*lines, coupons=tuple(coupons), freight=tuple(freight))


@st.composite
def _lines(draw: st.DrawFn, line_id: str) -> OrderLine:
    qty, unit = draw(st.integers(1, 12)), draw(st.integers(0, 30_000))
    return line(
        line_id,
        qty,
        unit,
        discount_minor=draw(st.integers(0, qty * unit)),
        weight_g=draw(st.integers(0, 2000)),
        tags=draw(_tags),
    )
