"""What is taken at the door fits into Temporal's payloads; the limits of docs/contract are these."""

from bisect import bisect_left

import pytest

from domain.order import MOST_PARCELS, OrderLine, SkuTags, StartOrder, order_too_large
from domain.policy import Policy
from domain.pricing import price
from domain.records import Registered
from domain.returns.models import MOST_RETURNED_UNITS, ApplyReturn, return_too_large
from domain.strict import of
from tests.workflows.orders import order_message

PAYLOAD = 2_097_152
"""What Temporal takes at most, in bytes."""


def order_of(lines: list[OrderLine]) -> StartOrder:
    message = order_message(coupons=[], freight=[])
    payable = sum(x.qty * x.unit_price_minor for x in lines)
    return of(StartOrder, message).model_copy(update={"lines": tuple(lines), "payable_minor": payable})


def line(n: int, longest: bool, tags: SkuTags) -> OrderLine:
    if longest:
        return OrderLine(line_id=f"{n:064}", sku="S" * 64, qty=1, unit_price_minor=10**8, tags=tags)
    return OrderLine(line_id=f"{n}", sku=f"S{n}", qty=1, unit_price_minor=100, tags=tags)


def largest(longest: bool) -> StartOrder:
    tags = SkuTags(**dict.fromkeys(SkuTags.model_fields, "T" * 40)) if longest else SkuTags(warehouse="W")
    lines = [line(n, longest, tags) for n in range(10_000)]
    whole = order_of(lines)
    fitting = bisect_left(range(1, 10_000), True, key=lambda n: bool(order_too_large(_cut(whole, n))))
    return _cut(whole, fitting)


def _cut(order: StartOrder, lines: int) -> StartOrder:
    kept = order.lines[:lines]
    payable = sum(x.qty * x.unit_price_minor for x in kept)
    return order.model_copy(update={"lines": kept, "payable_minor": payable})


@pytest.mark.parametrize(("longest", "at_least"), [(False, 5_000), (True, 2_500)])
def test_the_largest_order_that_is_taken_is_answered_within_a_payload(longest: bool, at_least: int) -> None:
    order = largest(longest)
    priced = price(order, {x.line_id: x.tags for x in order.lines if x.tags is not None})
    answer = Registered(
        order_no=order.order_no, priced=priced, policy=Policy(), pay_deadline=order.deadline(1800)
    ).model_dump_json()
    assert at_least <= len(order.lines) and len(answer) < PAYLOAD
    assert len(answer) > 1_200_000, "the limit is no lower than it has to be"


def test_ten_thousand_lines_are_too_many_and_the_refusal_says_so() -> None:
    order = order_of([line(n, False, SkuTags(warehouse="W")) for n in range(10_000)])
    assert "10000 lines" in order_too_large(order)


def test_lines_whose_tags_only_the_catalogue_knows_count_with_the_longest() -> None:
    lines = [line(n, False, SkuTags(warehouse="T" * 40)).model_copy(update={"tags": None}) for n in range(4_500)]
    assert order_too_large(order_of(lines))


def test_parcels_are_counted_by_where_lines_ship_from() -> None:
    lines = [line(n, False, SkuTags(warehouse=f"W{n}")) for n in range(MOST_PARCELS + 1)]
    assert "parcels" in order_too_large(order_of(lines)) and order_too_large(order_of(lines[:-1])) == ""


def test_a_return_of_a_hundred_thousand_units_is_several_cases() -> None:
    message = {
        "return_no": "RT26112001", "order_no": "SO26112001", "type": "return_refund", "channel": "app",
        "actor": {"kind": "buyer", "id": "b-1"}, "lines": {"L1": 100_000}, "reason": "no_reason",
    }  # fmt: skip
    application = of(ApplyReturn, message)
    assert "100000 units" in return_too_large(application)
    assert return_too_large(application.model_copy(update={"lines": {"L1": MOST_RETURNED_UNITS}})) == ""
