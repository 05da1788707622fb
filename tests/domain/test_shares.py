import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import allocate
from domain.order import FreightCharge, StartOrder
from domain.pricing import price
from domain.records import PricedLine
from domain.shares import UnableToTake, freeze, take
from tests.domain.orders import line, order, orders, tags_of


def one_line(qty: int, unit: int, freight: int) -> PricedLine:
    start = order(line("L1", qty, unit), freight=(FreightCharge(amount_minor=freight),))
    return price(start, tags_of(start)).lines[0]


@given(orders())
def test_units_share_net_and_freight_by_the_allocation_rule(start: StartOrder) -> None:
    for priced in price(start, tags_of(start)).lines:
        units = [take(priced, i, 1) for i in range(priced.qty)]
        assert [unit.net_minor for unit in units] == allocate(priced.net_minor, [1] * priced.qty)
        assert [unit.freight_minor for unit in units] == allocate(priced.freight_minor, [1] * priced.qty)


@given(orders())
def test_the_frozen_runs_say_the_same_as_the_units_one_by_one(start: StartOrder) -> None:
    for priced in price(start, tags_of(start)).lines:
        runs = freeze(priced)
        assert len(runs) <= 3
        unrolled = [(run.net_minor, run.freight_minor) for run in runs for _ in range(run.units)]
        assert unrolled == [tuple(take(priced, i, 1)) for i in range(priced.qty)]
        assert [run.first_unit for run in runs] == [sum(r.units for r in runs[:n]) for n in range(len(runs))]


@given(orders(), st.data())
def test_refunds_of_units_line_by_line_in_any_order_and_size_add_up_to_what_was_paid(
    start: StartOrder, data: st.DataObject
) -> None:
    priced = price(start, tags_of(start))
    lines = {given.line_id: given for given in priced.lines}
    left = data.draw(st.permutations([given.line_id for given in priced.lines for _ in range(given.qty)]))
    returned = dict.fromkeys(lines, 0)
    refunded = 0
    while left:
        size = data.draw(st.integers(1, len(left)))
        case, left = left[:size], left[size:]
        for line_id in sorted(set(case)):
            share = take(lines[line_id], returned[line_id], case.count(line_id))
            returned[line_id] += case.count(line_id)
            refunded += share.paid_minor
    assert refunded == priced.payable_minor


def test_sums_over_a_million_units_are_instant() -> None:
    priced = one_line(1_000_000, 7, 3)
    assert take(priced, 0, 1_000_000) == (7_000_000, 3)
    assert take(priced, 2, 999_998) == (6_999_986, 1)
    assert [run.units for run in freeze(priced)] == [3, 999_997]


@pytest.mark.parametrize(("first", "count"), [(0, 4), (2, 2), (-1, 1), (0, -1), (4, 0)])
def test_units_that_the_line_does_not_have_cannot_be_taken(first: int, count: int) -> None:
    with pytest.raises(UnableToTake, match="line L1 has 3 units"):
        take(one_line(3, 100, 0), first, count)
