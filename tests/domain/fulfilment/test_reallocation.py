"""Children made anew: every unit in exactly one of them, and the money of the same units adds up to the fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fulfilment.reallocation import (
    Held,
    Part,
    ReplanCode,
    UnableToReplan,
    check_resplit,
    money_of,
    replanned,
    together,
)
from domain.order import SkuTags
from domain.records import ChildPlan, Priced, PricedLine
from domain.states import ChildStatus
from domain.units import UnitRange, last_units, without

ORDER = "SO260302"


def line(line_id: str, qty: int, net: int, freight: int, **tags: str) -> PricedLine:
    return PricedLine(
        line_id=line_id, sku=f"SKU-{line_id}", qty=qty, unit_price_minor=net, gross_minor=net * qty, discount_minor=0,
        coupon_minor=0, net_minor=net, freight_minor=freight, paid_minor=net + freight, weight_g=10,
        tags=SkuTags(warehouse="WH1", **tags),
    )  # fmt: skip


def priced(*lines: PricedLine) -> Priced:
    paid = sum(each.paid_minor for each in lines)
    return Priced(
        goods_gross_minor=paid, line_discount_minor=0, coupon_minor=0, goods_net_minor=sum(x.net_minor for x in lines),
        freight_minor=sum(x.freight_minor for x in lines), payable_minor=paid, lines=lines,
    )  # fmt: skip


def held(price: Priced, n: int, *runs: tuple[str, int, int], status: ChildStatus = ChildStatus.RELEASED) -> Held:
    units = tuple(UnitRange(line_id=i, first_unit=first, units=count) for i, first, count in runs)
    net, freight = money_of(price, units)
    plan = ChildPlan(
        child_no=f"{ORDER}-{n:02d}", reasons=(), lines=together([Held(_EMPTY, status, units)]).lines, warehouse="WH1",
        net_minor=net, freight_minor=freight, paid_minor=net + freight, status=status,
    )  # fmt: skip
    return Held(plan, status, units)


_EMPTY = ChildPlan(
    child_no="x", reasons=(), lines={}, warehouse="WH1", net_minor=0, freight_minor=0, paid_minor=0,
    status=ChildStatus.RELEASED,
)  # fmt: skip


@st.composite
def cut_up(draw: st.DrawFn) -> tuple[Priced, list[Held], list[Part]]:
    """Lines whose units lie in up to three children, not always side by side, and any new partition of them."""
    lines = [
        line(f"L{n}", draw(st.integers(1, 9)), draw(st.integers(0, 10_000)), draw(st.integers(0, 500)))
        for n in range(draw(st.integers(1, 3)))
    ]
    old: dict[int, list[tuple[str, int, int]]] = {}
    new: dict[int, dict[str, int]] = {}
    for each in lines:
        for unit in range(each.qty):
            old.setdefault(draw(st.integers(1, 3)), []).append((each.line_id, unit, 1))
            part = new.setdefault(draw(st.integers(1, 4)), {})
            part[each.line_id] = part.get(each.line_id, 0) + 1
    price = priced(*lines)
    return price, [held(price, n, *runs) for n, runs in sorted(old.items())], [Part(lines=p) for p in new.values()]


@given(cut_up())
def test_units_and_money_are_conserved_whatever_the_partition(case: tuple[Priced, list[Held], list[Part]]) -> None:
    price, old, parts = case
    made = replanned(ORDER, price, old, parts, 9, "resplit")
    units = sorted((r.line_id, u) for c in made for r in c.runs for _, u in r.each())
    assert units == sorted((x.line_id, u) for x in price.lines for u in range(x.qty))
    assert sum(c.net_minor for c in made) == price.goods_net_minor
    assert sum(c.freight_minor for c in made) == price.freight_minor
    assert [c.lines for c in made] == [{i: p.lines[i] for i in sorted(p.lines)} for p in parts]
    assert [c.child_no for c in made] == [f"{ORDER}-{n:02d}" for n in range(9, 9 + len(parts))]


def test_together_is_one_child_with_the_sum_of_both() -> None:
    price = priced(line("L1", 3, 1000, 100), line("L2", 1, 333, 0))
    old = [held(price, 1, ("L1", 0, 2)), held(price, 2, ("L1", 2, 1), ("L2", 0, 1))]
    (made,) = replanned(ORDER, price, old, [together(old)], 3, "merged")
    assert made.paid_minor == price.payable_minor
    assert made.runs == (UnitRange(line_id="L1", first_unit=0, units=3), UnitRange(line_id="L2", first_unit=0, units=1))
    assert made.reasons[0].value == f"{ORDER}-01 {ORDER}-02"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([{"L1": 3}], ReplanCode.UNITS_DIFFER),
        ([{"L1": 2, "L2": 1, "L9": 1}], ReplanCode.UNITS_DIFFER),
        ([{"L1": 2, "L2": 1}], ReplanCode.NOTHING_CHANGES),
        ([{"L1": 1, "L3": 1}, {"L1": 1, "L2": 1}], ReplanCode.CUSTOMS_MODE_CONFLICT),
        ([{"L1": 1, "L4": 1}, {"L1": 1, "L2": 1}], ReplanCode.LOGISTICS_CONFLICT),
    ],
)
def test_what_cannot_be_split_so(parts: list[dict[str, int]], code: ReplanCode) -> None:
    price = priced(
        line("L1", 2, 1000, 100), line("L2", 1, 333, 0), line("L3", 1, 5, 0, customs="cbec"),
        line("L4", 1, 5, 0, logistics="cold_chain"),
    )  # fmt: skip
    old = [held(price, 1, ("L1", 0, 2), ("L2", 0, 1))]
    with pytest.raises(UnableToReplan) as refused:
        check_resplit(price, old, [Part(lines=p) for p in parts], "by hand")
    assert refused.value.code is code


def test_a_remark_is_needed_and_nothing_touched_is_split() -> None:
    price = priced(line("L1", 2, 1000, 100))
    parts = [Part(lines={"L1": 1}), Part(lines={"L1": 1})]
    with pytest.raises(UnableToReplan) as silent:
        check_resplit(price, [held(price, 1, ("L1", 0, 2))], parts, " ")
    assert silent.value.code is ReplanCode.REMARK_REQUIRED
    with pytest.raises(UnableToReplan) as late:
        check_resplit(price, [held(price, 1, ("L1", 0, 2), status=ChildStatus.PACKED)], parts, "by hand")
    assert late.value.code is ReplanCode.ALREADY_IN_WAREHOUSE


def test_the_last_units_go_and_the_first_ones_stay() -> None:
    runs = (UnitRange(line_id="L1", first_unit=0, units=2), UnitRange(line_id="L1", first_unit=5, units=2))
    gone = last_units(runs, {"L1": 3})
    assert gone == (UnitRange(line_id="L1", first_unit=5, units=2), UnitRange(line_id="L1", first_unit=1, units=1))
    assert without(runs, gone) == (UnitRange(line_id="L1", first_unit=0, units=1),)
    with pytest.raises(ValueError, match="5 units"):
        last_units(runs, {"L1": 5})
