"""A report is what the tables say, version by version: the same facts make none, late ones make the next."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.insight.reports import BuildReport, InsightActivities, NotBuilt
from bench.insight.planting import (
    PlantedOrder,
    PlantedReturn,
    PlantedTicket,
    plant_news,
    plant_orders,
    plant_payments,
    plant_returns,
    plant_tickets,
)
from domain.insight.health import HealthReport
from domain.insight.parameters import InsightParameters
from domain.insight.periods import month
from domain.insight.weekly import WeeklyReport
from store.insight.reports import ReportStore
from store.pool import Pool
from store.tickets.tickets import TicketStore

APRIL = month("2026-04")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AS_OF = APRIL.until + 6 * HOUR
WANTED = BuildReport(report="health", period="2026-04", as_of=AS_OF)
T = APRIL.since + 10 * DAY


@pytest.fixture
async def insight(pool: Pool) -> InsightActivities:
    orders = [
        PlantedOrder("OK-0001", "杭州市", T, T, signed_at=T + 2 * DAY, dispatched_at=T + DAY),
        PlantedOrder(
            "SPLIT-01", "上海市", T, T, signed_at=T + 3 * DAY, dispatched_at=T + 3 * DAY, parcels=2, remade=True
        ),
        PlantedOrder("CUT-0001", "上海市", T, T, cancelled=True),
        PlantedOrder("UNPAID-1", "上海市", T, None),
        PlantedOrder("BEFORE-1", "[erased]", APRIL.since - DAY, T, signed_at=APRIL.since + DAY, dispatched_at=T),
        PlantedOrder("ELSE-001", "上海市", APRIL.until, APRIL.until),
    ]
    await plant_orders(pool, orders)
    await plant_news(pool, ["OK-0001", "SPLIT-01"], T, told=200, late=1)
    await plant_payments(pool, ["OK-0001", "SPLIT-01"], T, paid=10, late=1)
    await plant_returns(pool, [PlantedReturn("SPLIT-01", T + 4 * DAY, "RETURN_NOT_SENT")])
    await plant_tickets(pool, [PlantedTicket("T-1", "SPLIT-01", "qimen", "push", T, 5 * HOUR, manual=True)])
    return InsightActivities(pool, lambda: AS_OF)


async def test_the_figures_are_what_the_tables_say(insight: InsightActivities) -> None:
    report = HealthReport.model_validate_json((await insight.built(WANTED)).text)
    values = {figure.key: (figure.value, figure.counted) for figure in report.figures}
    assert values["sync_accuracy_bp"] == (9_950, 200) and values["payment_delay_ppm"] == (100_000, 10)
    assert values["split_rate_bp"] == (5_000, 2) and values["split_reasonable_score_x10"] == (0, 1)
    assert values["after_sales_rate_bp"] == (5_000, 2) and values["manual_rate_bp"] == (10_000, 1)
    assert values["dispatch_on_time_bp"] == (5_000, 2) and values["perfect_bp"] == (5_000, 2)
    assert report.figure("split_rate_bp").left_out == {"cancelled_unshipped": 1, "not_paid": 1}
    fulfilment = report.figure("fulfilment_minutes")
    assert (fulfilment.counted, fulfilment.value) == (3, (2 + 3 + 2) * 480)
    assert [(p.name, p.value) for p in fulfilment.parts] == [("new_tier1", 2_880), ("tier1", 4_320)]
    assert [p.name for p in report.figure("closure_bp").parts] == ["RETURN_NOT_SENT"]
    assert report.not_compared == 30


async def test_the_same_facts_are_the_same_version_and_late_ones_make_the_next(
    insight: InsightActivities, pool: Pool
) -> None:
    first, again = await insight.built(WANTED), await insight.built(WANTED)
    assert (first.version, first.new, again.version, again.new, again.text) == (1, True, 1, False, first.text)
    await plant_returns(pool, [PlantedReturn("OK-0001", T + 5 * DAY)])
    late = await insight.built(WANTED)
    assert (late.version, late.new) == (2, True)
    reports = ReportStore(pool)
    kept = await reports.read("health", "2026-04", 1)
    assert kept is not None and kept.text == first.text
    assert [version for version, _ in await reports.versions("health", "2026-04")] == [2, 1]


async def test_behind_each_number_stand_its_orders_page_by_page(insight: InsightActivities, pool: Pool) -> None:
    kept, reports = await insight.built(WANTED), ReportStore(pool)

    async def behind(flag: str, after: str = "", most: int = 100) -> tuple[tuple[str, ...], str | None]:
        page = await reports.orders("health", "2026-04", kept.version, flag, after, most)
        return page.orders, page.next

    assert await behind("signed") == (("BEFORE-1", "OK-0001", "SPLIT-01"), None)
    assert await behind("signed", most=2) == (("BEFORE-1", "OK-0001"), "OK-0001")
    assert await behind("signed", "OK-0001") == (("SPLIT-01",), None)
    for flag in ("unreasonable_split", "after_sales", "return_ended", "by_hand", "dispatched_late", "abnormal"):
        assert (await behind(flag))[0] == ("SPLIT-01",), flag
    assert await behind("payment_late") == (("OK-0001",), None)


async def test_what_was_promised_counts_before_the_rule_of_all_orders(insight: InsightActivities, pool: Pool) -> None:
    await pool.execute("UPDATE orders SET dispatch_by = $1 WHERE order_no = 'SPLIT-01'", T + 4 * DAY)
    report = HealthReport.model_validate_json((await insight.built(WANTED)).text)
    assert report.figure("dispatch_on_time_bp").value == 10_000


async def test_the_week_is_ranked_from_its_tickets(insight: InsightActivities) -> None:
    wanted = BuildReport(report="weekly", period="2026-W15", as_of=AS_OF)
    report = WeeklyReport.model_validate_json((await insight.built(wanted)).text)
    (worst,) = report.top
    assert (worst.id, worst.score, worst.kind, worst.what) == ("T-1", 30 + 5 + 1, "customer_stuck", "qimen: push")


async def test_the_worst_are_told_with_how_their_orders_went(insight: InsightActivities, pool: Pool) -> None:
    """Of 25, 24 went on from SHIPPED in two hours; one stood for ten, and then was refused."""
    usual = [f"USUAL-{n:02}" for n in range(24)]
    await plant_orders(pool, [PlantedOrder(no, "上海市", T - 2 * DAY, T - 2 * DAY) for no in usual])
    numbers = ["SPLIT-01"] * 2 + [no for no in usual for _ in range(2)]
    steps = [("PACKED", "SHIPPED"), ("SHIPPED", "REFUSED")] + [("PACKED", "SHIPPED"), ("SHIPPED", "IN_TRANSIT")] * 24
    at = [T, T + 10 * HOUR] + [T - DAY, T - DAY + 2 * HOUR] * 24
    await pool.execute(
        """INSERT INTO order_events (order_no, key, kind, source, occurred_at, recorded_at, outcome, child_no,
            from_status, to_status)
        SELECT o, o || a, 'x', 'yto', t, t, 'APPLIED', o || '-01', b, a
        FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS m (o, b, a, t)""",
        numbers, [before for before, _ in steps], [after for _, after in steps], at,
    )  # fmt: skip
    wanted = BuildReport(report="weekly", period="2026-W15", as_of=AS_OF)
    (worst,) = WeeklyReport.model_validate_json((await insight.built(wanted)).text).top
    assert (worst.order_no, worst.rarity_x10, worst.hours_beyond) == ("SPLIT-01", 46, 8), "log2(25) is 4.64"


async def test_parameters_count_from_the_next_building_on_and_are_named_in_it(
    insight: InsightActivities, pool: Pool
) -> None:
    reports = ReportStore(pool)
    await insight.built(WANTED)
    parameters = InsightParameters(city_tiers={"杭州": "home"}, other_tier=None)
    assert [await reports.put_parameters(parameters, "u-ops", AS_OF) for _ in range(2)] == [1, 1]
    report = HealthReport.model_validate_json((await insight.built(WANTED)).text)
    assert report.parameters_version == 1
    assert [p.name for p in report.figure("fulfilment_minutes").parts] == ["home"]
    assert await pool.fetchval("SELECT count(*) FROM audit WHERE action = 'insight.set'") == 1


async def test_what_has_not_begun_and_what_is_no_month_is_refused(insight: InsightActivities, pool: Pool) -> None:
    for period in ("2026-05", "2026-13", "2026-W17"):
        with pytest.raises(ApplicationError) as refused:
            await insight.built(BuildReport(report="health", period=period, as_of=APRIL.until))
        assert refused.value.type == "NoSuchPeriod" and refused.value.non_retryable
    assert await ReportStore(pool).periods("health") == ()


async def test_the_ticket_of_a_report_that_was_not_built_closes_when_it_is(
    insight: InsightActivities, pool: Pool
) -> None:
    await insight.not_built(NotBuilt(report="health", period="2026-04", why="away"))
    await insight.build(WANTED)
    ticket = await TicketStore(pool).get("T-report-health-2026-04")
    assert ticket is not None and (ticket.state, ticket.resolved_by) == ("resolved", "system")


async def test_planted_drift_is_in_the_accuracy_the_second_opinion_and_the_ranking(
    insight: InsightActivities, pool: Pool
) -> None:
    """A callback that was lost, a status that was edited by hand, a parcel signed for before it had left."""
    await pool.execute(TOLD, ["OK-0001"] * 2, ["COLLECTED", "SIGNED"], [T + DAY, T + 2 * DAY])
    before = HealthReport.model_validate_json((await insight.built(WANTED)).text)
    assert (before.figure("fits_bp").value, before.figure("fits_bp").counted) == (10_000, 1)
    orders = [PlantedOrder(f"DRIFT-{n}", "上海市", T, T, T + DAY, T + DAY) for n in range(3)]
    await plant_orders(pool, orders)
    await pool.execute(TOLD, ["DRIFT-0"], ["COLLECTED"], [T + DAY])
    await pool.execute(
        """INSERT INTO drifts (day, order_no, kind, number, expected, found, found_at)
        VALUES ('2026-04-12', 'DRIFT-0', 'parcel', 'YT1', 'kuaidi100:YT1:SIGNED', 'SHIPPED', $1)""", T + 2 * DAY,
    )  # fmt: skip
    await pool.execute("UPDATE child_orders SET status = 'SHIPPED' WHERE order_no = 'DRIFT-0'")
    await pool.execute("UPDATE orders SET status = 'SHIPPED' WHERE order_no = 'DRIFT-0'")
    await pool.execute(TOLD, ["DRIFT-1"], ["COLLECTED"], [T + DAY])
    await pool.execute(TOLD, ["DRIFT-2"] * 2, ["SIGNED", "COLLECTED"], [T, T + DAY])
    report = HealthReport.model_validate_json((await insight.built(WANTED)).text)
    assert report.figure("sync_accuracy_bp").counted == before.figure("sync_accuracy_bp").counted + 5
    assert report.figure("sync_accuracy_bp").part == (before.figure("sync_accuracy_bp").part or 0) + 4
    assert (report.figure("fits_bp").value, report.figure("fits_bp").counted) == (2_500, 4)
    page = await ReportStore(pool).orders("health", "2026-04", 2, "does_not_fit")
    assert page.orders == ("DRIFT-0", "DRIFT-1", "DRIFT-2")
    weekly = BuildReport(report="weekly", period="2026-W15", as_of=AS_OF)
    top = WeeklyReport.model_validate_json((await insight.built(weekly)).text).top
    assert {e.order_no: e.what.partition(": ")[2] for e in top if e.what.startswith("second")} == {
        "DRIFT-0": "unheard", "DRIFT-1": "other_status", "DRIFT-2": "signed_before_left",
    }  # fmt: skip


TOLD = """
INSERT INTO order_events (order_no, key, kind, source, occurred_at, recorded_at, outcome, child_no, from_status,
    to_status)
SELECT order_no, kind || order_no, kind, 'kuaidi100', at, at, 'APPLIED', order_no || '-01', '', ''
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS t (order_no, kind, at)"""
