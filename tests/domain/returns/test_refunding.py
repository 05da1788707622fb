"""Refunds are plain sums of frozen shares: any way of returning an order adds up to what was paid (R46-R48, M6)."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.policy import FreightBack
from domain.returns.enums import Fault, ReturnType
from domain.returns.refunding import (
    AmountRaised,
    UnknownUnits,
    coupons_come_back,
    freight_goes_back,
    payout,
    quote,
    quote_for,
    spread,
)
from domain.shares import UnitShare
from domain.units import UnitRange
from tests.domain.returns.facts import shares

T = ReturnType


def units(line_id: str, first: int, count: int) -> UnitRange:
    return UnitRange(line_id=line_id, first_unit=first, units=count)


def test_s01_returned_one_by_one_is_what_was_paid() -> None:
    lines = [*shares("L1", 1, 666, 200), *shares("L2", 1, 667, 200), *shares("L3", 1, 667, 200)]
    totals = [quote(lines, [units(name, 0, 1)]) for name in ("L1", "L3", "L2")]
    assert [(q.goods_minor, q.freight_minor, q.total_minor) for q in totals] == [
        (666, 200, 866),
        (667, 200, 867),
        (667, 200, 867),
    ]


def test_s22_a_whole_order_is_goods_and_freight() -> None:
    lines = [*shares("L1", 1, 81_155, 5_247), *shares("L2", 1, 11_645, 753)]
    whole = [units("L1", 0, 1), units("L2", 0, 1)]
    got = quote_for(T.CANCEL_UNSHIPPED, lines, whole, fault=Fault.NONE, freight_policy="proportional")
    assert (got.goods_minor, got.freight_minor, got.total_minor) == (92_800, 6_000, 98_800)
    assert coupons_come_back(T.CANCEL_UNSHIPPED, whole, {"L1": 1, "L2": 1})
    assert not coupons_come_back(T.CANCEL_UNSHIPPED, whole[:1], {"L1": 1, "L2": 1})
    assert not coupons_come_back(T.RETURN_REFUND, whole, {"L1": 1, "L2": 1})


@pytest.mark.parametrize(
    ("policy", "fault", "kind", "expected"),
    [
        ("proportional", Fault.BUYER, T.RETURN_REFUND, True),
        ("none", Fault.SELLER, T.RETURN_REFUND, False),
        ("none", Fault.NONE, T.CANCEL_UNSHIPPED, False),
        ("none_if_buyer_fault", Fault.BUYER, T.RETURN_REFUND, False),
        ("none_if_buyer_fault", Fault.BUYER, T.REFUND_ONLY, False),
        ("none_if_buyer_fault", Fault.SELLER, T.RETURN_REFUND, True),
        ("none_if_buyer_fault", Fault.NONE, T.RETURN_REFUND, True),
        ("none_if_buyer_fault", Fault.BUYER, T.CANCEL_UNSHIPPED, True),
    ],
)
def test_freight_goes_back_unless_a_switch_keeps_it(
    policy: FreightBack, fault: Fault, kind: ReturnType, expected: bool
) -> None:
    assert freight_goes_back(policy, kind, fault) is expected
    got = quote_for(kind, shares("L1", 2, 100, 7), [units("L1", 0, 1)], fault=fault, freight_policy=policy)
    assert (got.goods_minor, got.freight_minor) == (50, 4 if expected else 0)


@pytest.mark.parametrize("kind", [T.EXCHANGE, T.WARRANTY_REPLACEMENT])
def test_an_exchange_moves_goods_and_no_money(kind: ReturnType) -> None:
    got = quote_for(kind, shares("L1", 2, 100, 7), [units("L1", 0, 2)], fault=Fault.NONE, freight_policy="proportional")
    assert (got.total_minor, got.full_minor) == (0, 0)


def test_staff_lower_and_parts_still_sum() -> None:
    lines = [*shares("L1", 3, 1_000, 11), *shares("L2", 1, 333)]
    got = quote(lines, [units("L1", 0, 3), units("L2", 0, 1)], lowered_minor=777)
    assert (got.total_minor, got.full_minor) == (777, 1_344)
    assert sum(line.goods_minor + line.freight_minor for line in got.lines) == 777
    with pytest.raises(AmountRaised, match="name less"):
        quote(lines, [units("L1", 0, 1)], lowered_minor=339)


def test_units_without_a_share_cannot_be_refunded() -> None:
    for wrong in (units("L1", 3, 1), units("L1", 2, 2), units("L9", 0, 1)):
        with pytest.raises(UnknownUnits):
            quote(shares("L1", 3, 100), [wrong])


def test_a_lowered_amount_is_a_ceiling_for_what_was_accepted_in_the_end() -> None:
    lines, one, both = shares("L1", 2, 1_000), [units("L1", 0, 1)], [units("L1", 0, 2)]

    def paid(accepted: Sequence[UnitRange], lowered: int | None) -> int:
        return payout(
            T.RETURN_REFUND, lines, accepted, fault=Fault.NONE, freight_policy="proportional", lowered_minor=lowered
        ).total_minor

    assert [paid(both, None), paid(both, 700), paid(one, 700), paid(one, 300)] == [1_000, 700, 500, 300]


def test_a_refund_is_borne_by_the_oldest_payment_first() -> None:
    assert spread(0, [("a", 5)]) == ()
    assert spread(5, [("a", 5), ("b", 3)]) == (("a", 5),)
    assert spread(7, [("a", 5), ("b", 3)]) == (("a", 5), ("b", 2))
    assert spread(2, [("a", 0), ("b", 3)]) == (("b", 2),)
    with pytest.raises(AmountRaised):
        spread(9, [("a", 5), ("b", 3)])


# --- any order, any way of returning it -------------------------------------------------------------------------------


@st.composite
def an_order(draw: st.DrawFn) -> list[tuple[str, int, int, int]]:
    """(line, qty, net, freight)."""
    amounts = st.integers(0, 50_000)
    return [
        (f"L{n}", draw(st.integers(1, 12)), draw(amounts), draw(st.integers(0, 999)))
        for n in range(draw(st.integers(1, 4)))
    ]


@st.composite
def a_way_back(draw: st.DrawFn) -> tuple[list[UnitShare], int, list[tuple[list[UnitRange], int | None]]]:
    """Frozen shares, what was paid, and cases one after another that together return everything; some lowered (‰)."""
    order = draw(an_order())
    lines = [share for line_id, qty, net, freight in order for share in shares(line_id, qty, net, freight)]
    everything = [(line_id, unit) for line_id, qty, _, _ in order for unit in range(qty)]
    shuffled = draw(st.permutations(everything))
    cases: list[tuple[list[UnitRange], int | None]] = []
    while shuffled:
        size = draw(st.integers(1, len(shuffled)))
        part, shuffled = shuffled[:size], shuffled[size:]
        lowered = draw(st.one_of(st.none(), st.integers(0, 1_000)))
        cases.append(([units(line_id, unit, 1) for line_id, unit in part], lowered))
    return lines, sum(net + freight for _, _, net, freight in order), cases


@settings(max_examples=150, deadline=None)
@given(a_way_back())
def test_everything_returned_unlowered_is_exactly_what_was_paid(
    way: tuple[list[UnitShare], int, list[tuple[list[UnitRange], int | None]]],
) -> None:
    lines, paid, cases = way
    steps = [quote(lines, case) for case, _ in cases]
    assert all(step.total_minor >= 0 for step in steps)
    assert sum(step.total_minor for step in steps) == paid
    assert all(sum(line.goods_minor for line in step.lines) == step.goods_minor for step in steps)


@settings(max_examples=150, deadline=None)
@given(a_way_back(), st.lists(st.integers(1, 60_000), min_size=1, max_size=4))
def test_lowered_amounts_never_pay_more_and_no_payment_bears_more_than_it_brought(
    way: tuple[list[UnitShare], int, list[tuple[list[UnitRange], int | None]]], weights: list[int]
) -> None:
    lines, paid, cases = way
    left = {f"p{n}": paid * w // sum(weights) for n, w in enumerate(weights)}
    left["p0"] += paid - sum(left.values())
    brought, by_line = dict(left), dict.fromkeys((share.line_id for share in lines), 0)
    for case, permille in cases:
        full = quote(lines, case).total_minor
        lowered = None if permille is None else full * permille // 1_000
        step = quote(lines, case, lowered_minor=lowered)
        assert 0 <= step.total_minor <= full
        assert step.total_minor == (full if lowered is None else lowered)
        for line in step.lines:
            by_line[line.line_id] += line.goods_minor + line.freight_minor
        for key, part in spread(step.total_minor, list(left.items())):
            left[key] -= part
    assert all(0 <= left[key] <= brought[key] for key in left)
    worth = dict.fromkeys(by_line, 0)
    for share in lines:
        worth[share.line_id] += share.units * (share.net_minor + share.freight_minor)
    assert all(by_line[line_id] <= worth[line_id] for line_id in by_line)
