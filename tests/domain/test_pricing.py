import pytest
from hypothesis import given

from domain.order import Coupon, FreightCharge, FreightTemplate, StartOrder
from domain.pricing import LineWithoutTags, PayableMismatch, UnableToPrice, check_payable, freight_fee, price
from tests.domain.orders import TAGS, line, money, order, orders, tags_of

TEMPLATE = FreightTemplate(mode="weight_g", first=1000, first_fee_minor=800, extra=500, extra_fee_minor=300)


@given(orders())
def test_every_sum_of_lines_is_the_orders_figure_and_no_line_goes_below_zero(start: StartOrder) -> None:
    priced = price(start, tags_of(start))
    assert priced.goods_gross_minor == sum(given.gross_minor for given in priced.lines)
    assert priced.coupon_minor == sum(given.coupon_minor for given in priced.lines)
    assert priced.freight_minor == sum(given.freight_minor for given in priced.lines)
    assert priced.payable_minor == sum(given.paid_minor for given in priced.lines)
    for given_line in priced.lines:
        taken_off = given_line.discount_minor + given_line.coupon_minor
        assert given_line.net_minor == given_line.gross_minor - taken_off >= 0


def test_coupons_apply_one_after_another_on_what_the_one_before_left() -> None:
    start = order(
        line("L1", 1, 1000),
        line("L2", 1, 3000),
        coupons=(
            Coupon(coupon_id="A", amount_minor=900, lines=("L1",)),
            Coupon(coupon_id="B", amount_minor=310),
        ),
    )
    assert money(price(start, tags_of(start))) == [(910, 90, 0), (300, 2700, 0)]


def test_a_coupon_takes_no_more_than_its_lines_are_worth() -> None:
    start = order(
        line("L1", 1, 500), line("L2", 1, 700), coupons=(Coupon(coupon_id="A", amount_minor=900, lines=("L1",)),)
    )
    assert money(price(start, tags_of(start))) == [(500, 0, 0), (0, 700, 0)]


def test_a_line_discount_comes_off_before_coupons() -> None:
    start = order(
        line("L1", 2, 1000, discount_minor=1000),
        line("L2", 1, 1000),
        coupons=(Coupon(coupon_id="A", amount_minor=101),),
    )
    priced = price(start, tags_of(start))
    assert priced.line_discount_minor == 1000
    assert money(priced) == [(51, 949, 0), (50, 950, 0)]


def test_ties_go_to_the_earlier_line_however_a_coupon_lists_its_lines() -> None:
    start = order(
        line("L1", 1, 100), line("L2", 1, 100), coupons=(Coupon(coupon_id="A", amount_minor=1, lines=("L2", "L1")),)
    )
    assert money(price(start, tags_of(start))) == [(1, 99, 0), (0, 100, 0)]


@pytest.mark.parametrize(
    ("grams", "fee"), [(0, 800), (1, 800), (1000, 800), (1001, 1100), (1500, 1100), (1501, 1400), (2000, 1400)]
)
def test_extra_steps_are_rounded_up(grams: int, fee: int) -> None:
    assert freight_fee(TEMPLATE, grams, 0) == fee


@pytest.mark.parametrize(("net", "fee"), [(9899, 800), (9900, 0), (9901, 0)])
def test_freight_is_free_from_the_threshold_on(net: int, fee: int) -> None:
    assert freight_fee(TEMPLATE.model_copy(update={"free_over_minor": 9900}), 10, net) == fee


def test_the_free_freight_threshold_looks_at_net_after_coupons_of_its_own_lines() -> None:
    template = FreightTemplate(
        mode="qty", first=1, first_fee_minor=800, extra=1, extra_fee_minor=0, free_over_minor=1000
    )
    start = order(
        line("L1", 1, 1000),
        line("L2", 1, 5000),
        coupons=(Coupon(coupon_id="A", amount_minor=1, lines=("L1",)),),
        freight=(FreightCharge(template=template, lines=("L1",)), FreightCharge(template=template, lines=("L2",))),
    )
    assert money(price(start, tags_of(start))) == [(1, 999, 800), (0, 5000, 0)]


def test_each_charge_is_spread_by_its_own_basis() -> None:
    start = order(
        line("L1", 1, 100, weight_g=900),
        line("L2", 3, 100, weight_g=100),
        freight=(
            FreightCharge(amount_minor=400, basis="qty"),
            FreightCharge(amount_minor=400, basis="weight_g"),
            FreightCharge(amount_minor=400, basis="net_amount", lines=("L2",)),
        ),
    )
    assert [freight for *_, freight in money(price(start, tags_of(start)))] == [100 + 300, 300 + 100 + 400]


def test_goods_for_nothing_share_freight_equally() -> None:
    start = order(line("L1", 1, 0), line("L2", 9, 0), freight=(FreightCharge(amount_minor=11),))
    assert [freight for *_, freight in money(price(start, tags_of(start)))] == [6, 5]


def test_a_line_without_tags_is_named_and_never_guessed() -> None:
    start = order(line("L1", 1, 100), line("L2", 1, 100))
    with pytest.raises(LineWithoutTags, match="line L2: SKU SKU-L2 has no tags"):
        price(start, {"L1": TAGS})


def test_freight_over_no_line_is_refused() -> None:
    start = order(line("L1", 1, 100), freight=(FreightCharge(amount_minor=1, lines=()),))
    with pytest.raises(UnableToPrice, match="names no line"):
        price(start, tags_of(start))


def test_a_sum_out_of_range_is_refused() -> None:
    start = order(line("L1", 1_000_000, 10**12))
    with pytest.raises(UnableToPrice, match="exceed"):
        price(start, tags_of(start))


def test_a_payable_that_is_not_ours_is_refused_with_both_numbers() -> None:
    start = order(line("L1", 2, 100), payable_minor=199)
    with pytest.raises(PayableMismatch) as caught:
        check_payable(start, price(start, tags_of(start)))
    assert (caught.value.shown_minor, caught.value.priced_minor) == (199, 200)
    check_payable(start.model_copy(update={"payable_minor": 200}), price(start, tags_of(start)))
