"""The health report: every figure by its definition, beside what it leaves out."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.insight.definitions import BEHIND, BY_KEY, MEASURES, Flag
from domain.insight.facts import MeasuredOrder, MonthFacts, Payments, RefundTime, Transitions
from domain.insight.figures import quantile, ratio
from domain.insight.health import flags, health_report
from domain.insight.parameters import InsightParameters
from domain.insight.periods import NoSuchPeriod, month, month_before, months_after, week, week_before, weeks_after

APRIL = month("2026-04")
DAY = timedelta(days=1)


def an_order(number: int = 1, **known: Any) -> MeasuredOrder:
    placed = APRIL.since + timedelta(hours=9)
    fields: dict[str, Any] = {"placed_at": placed, "paid_at": placed, "city": "杭州市"}
    return MeasuredOrder(f"SO{number:06}", **(fields | known))


def the_month(*orders: MeasuredOrder, **more: Any) -> MonthFacts:
    fields: dict[str, Any] = {"as_of": APRIL.until + DAY, "parameters": InsightParameters()}
    return MonthFacts(month=APRIL, orders=orders, **(fields | more))


def test_every_measure_is_in_the_report_and_nothing_else() -> None:
    assert [figure.key for figure in health_report(the_month()).figures] == [m.key for m in MEASURES]
    assert set(BEHIND) == set(BY_KEY)


def test_without_a_fact_there_is_no_value_and_no_zero() -> None:
    assert {figure.value for figure in health_report(the_month()).figures} == {None}


def test_what_is_left_out_and_what_is_counted_are_everything() -> None:
    orders = [
        an_order(1, signed_at=APRIL.since + 3 * DAY, dispatched_at=APRIL.since + DAY, fits=True),
        an_order(2),
        an_order(3, paid=False, paid_at=None),
        an_order(4, cancelled_unshipped=True),
    ]
    report = health_report(the_month(*orders))
    for key in ("split_rate_bp", "after_sales_rate_bp", "manual_orders_bp"):
        assert (report.figure(key).counted, report.figure(key).about) == (2, 4)
    assert report.figure("split_rate_bp").left_out == {"cancelled_unshipped": 1, "not_paid": 1}
    assert report.figure("fulfilment_minutes").left_out == {"not_signed": 1}
    assert report.figure("fits_bp").left_out == {"no_facts": 1}
    assert report.figure("complaints_per_1000_x10").left_out["no_source"] == 2
    assert report.figure("fits_bp").coverage_bp == 5_000


def test_orders_of_a_channel_that_tells_of_no_complaints_are_left_out_and_counted_and_not_taken_for_content() -> None:
    told = [an_order(1, channel="tmall", complaints=2), an_order(2, channel="tmall"), an_order(3, channel="own")]
    facts = the_month(*told, complaint_sources={"tmall"})
    figure = health_report(facts).figure("complaints_per_1000_x10")
    assert (figure.value, figure.counted, figure.left_out) == (10_000, 2, {"no_source": 1})
    assert [Flag.COMPLAINED in flags(order, facts) for order in told] == [True, False, False]


def test_fulfilment_counts_those_signed_for_in_the_month_whenever_they_were_placed() -> None:
    early = an_order(1, placed_at=APRIL.since - 2 * DAY, signed_at=APRIL.since)
    late = an_order(2, placed_at=APRIL.until - DAY, signed_at=APRIL.until)
    fulfilment = health_report(the_month(early, late)).figure("fulfilment_minutes")
    assert (fulfilment.value, fulfilment.counted) == (2 * 24 * 60, 1)
    assert [(p.name, p.counted) for p in fulfilment.parts] == [("new_tier1", 1)]


def test_a_city_that_nobody_knows_counts_in_the_total_only() -> None:
    order = an_order(signed_at=APRIL.since + 2 * DAY, city="[erased]")
    fulfilment = health_report(the_month(order)).figure("fulfilment_minutes")
    assert (fulfilment.counted, fulfilment.parts) == (1, ())


@pytest.mark.parametrize(
    ("known", "late"),
    [
        ({"dispatched_at": APRIL.since + 9 * timedelta(hours=1) + 2 * DAY}, False),
        ({"dispatched_at": APRIL.since + 9 * timedelta(hours=1, seconds=1) + 2 * DAY}, True),
        ({}, True),
        ({"placed_at": APRIL.until, "paid_at": APRIL.until - timedelta(minutes=1)}, None),
        ({"paid_at": None}, None),
        ({"promised_at": APRIL.since + 5 * DAY, "dispatched_at": APRIL.since + 4 * DAY}, False),
    ],
)
def test_dispatch_is_on_time_within_48_hours_of_payment_or_what_was_promised(
    known: dict[str, Any], late: bool | None
) -> None:
    facts = the_month(replace(an_order(), **known | {"placed_at": APRIL.since}))
    figure = health_report(facts).figure("dispatch_on_time_bp")
    expected = {None: (None, 0), True: (0, 1), False: (10_000, 1)}[late]
    assert (figure.value, figure.counted) == expected
    assert (Flag.DISPATCHED_LATE in flags(facts.orders[0], facts)) is (late is True)


def test_a_perfect_order_has_nothing_against_it_and_one_under_way_is_not_judged() -> None:
    good = an_order(1, dispatched_at=APRIL.since + DAY, signed_at=APRIL.since + 2 * DAY)
    spoilt = [replace(good, after_sales=True), replace(good, abnormal=True)]
    under_way = an_order(4, dispatched_at=APRIL.since + DAY)
    perfect = health_report(the_month(good, *spoilt, under_way)).figure("perfect_bp")
    assert (perfect.value, perfect.counted, perfect.left_out) == (3_333, 3, {"on_its_way": 1})


def test_a_score_of_splits_takes_off_those_that_were_for_nothing() -> None:
    orders = [an_order(n, parcels=2, unreasonable_split=n == 1) for n in range(1, 4)] + [an_order(4)]
    score = health_report(the_month(*orders)).figure("split_reasonable_score_x10")
    assert (score.value, score.left_out) == (667, {"not_split": 1})


def test_refunds_without_a_return_are_counted_beside_the_cycle() -> None:
    refunds = [RefundTime("SO1", APRIL.since, APRIL.since + DAY), RefundTime("SO2", None, APRIL.since)]
    cycle = health_report(the_month(refunds=refunds)).figure("refund_minutes")
    assert (cycle.value, cycle.counted, cycle.left_out) == (1440, 1, {"no_return": 1})


@pytest.mark.parametrize(("late", "met"), [(0, True), (2, True), (3, False)])
def test_a_limit_is_kept_where_it_is_reached_exactly(late: int, met: bool) -> None:
    report = health_report(the_month(payments=Payments(1_000, late), transitions=Transitions(10_000, 9_950 - late)))
    assert BY_KEY["payment_delay_ppm"].met(report.figure("payment_delay_ppm").value) is met
    assert BY_KEY["sync_accuracy_bp"].met(report.figure("sync_accuracy_bp").value) is (late == 0)


def test_rounding_is_half_up_and_ranks_are_nearest() -> None:
    assert [ratio(1, 8, 100), ratio(1, 3, 100), ratio(0, 0, 100)] == [13, 33, None]
    assert [quantile([5, 1, 3, 2], p) for p in (50, 90, 1)] == [2, 5, 1]


def test_months_and_weeks_are_those_of_shanghai() -> None:
    midnight = datetime.fromisoformat("2026-05-01T00:00:00+08:00")
    assert month_before(midnight) == APRIL and month_before(midnight - timedelta(seconds=1)).name == "2026-03"
    assert week_before(datetime.fromisoformat("2026-04-27T00:00:00+08:00")) == week("2026-W17")
    assert week("2026-W17").since.isoformat() == "2026-04-20T00:00:00+08:00"
    assert month("2026-12").until.year == 2027


@pytest.mark.parametrize("name", ["2026-4", "2026-13", "0000-01", "２０２６-04", "2026-04 ", ""])
def test_what_is_no_month_is_refused(name: str) -> None:
    with pytest.raises(NoSuchPeriod):
        month(name)


@pytest.mark.parametrize("name", ["2026-W54", "2026-17", "2026-W00"])
def test_what_is_no_week_is_refused(name: str) -> None:
    with pytest.raises(NoSuchPeriod):
        week(name)


def test_what_was_missed_is_named_oldest_first_across_a_year() -> None:
    assert months_after("2025-11", month("2026-02")) == ("2025-12", "2026-01", "2026-02")
    assert weeks_after("2026-W52", week("2027-W01")) == ("2026-W53", "2027-W01")
    assert months_after("", APRIL) == months_after("2026-04", APRIL) == ()
