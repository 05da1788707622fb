"""Reports in the console: each figure with its coverage and the month before, its orders one click away, the same files
for the same version; not for those who see some shops only."""

from datetime import timedelta

import pytest

from activities.insight.reports import BuildReport, InsightActivities
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
from console.text.language import LANGUAGES
from console.text.report_figures import value_text
from domain.insight.definitions import MEASURES, Unit
from domain.insight.periods import month
from store.pool import Pool
from tests.console.office import Desk
from tests.console.test_tickets import english

APRIL = month("2026-04")
T = APRIL.since + timedelta(days=10)


@pytest.fixture
async def reported(desk: Desk) -> Desk:
    """March without an order, April with two; the first of them went wrong."""
    await plant(desk.books)
    insight = InsightActivities(desk.books, lambda: desk.now)
    as_of = APRIL.until + timedelta(hours=6)
    for report, period in (("health", "2026-03"), ("health", "2026-04"), ("weekly", "2026-W15")):
        wanted = BuildReport.model_validate({"report": report, "period": period, "as_of": as_of})
        await insight.build(wanted)
    return desk


async def plant(books: Pool) -> None:
    day = timedelta(days=1)
    await plant_orders(
        books,
        [
            PlantedOrder("SO-BAD-1", "上海市", T, T, T + 4 * day, T + 3 * day, parcels=2),
            PlantedOrder("SO-GOOD", "杭州市", T, T, T + 2 * day, T + day),
        ],
    )
    await plant_news(books, ["SO-BAD-1", "SO-GOOD"], T, told=100, late=1)
    await plant_payments(books, ["SO-GOOD"], T, paid=2, late=0)
    await plant_returns(books, [PlantedReturn("SO-BAD-1", T + 5 * day, "REFUNDED")])
    await plant_tickets(books, [PlantedTicket("T-BAD", "SO-BAD-1", "qimen", "push", T, timedelta(hours=7), True)])


async def test_a_figure_stands_beside_its_coverage_its_target_and_the_month_before(reported: Desk) -> None:
    browser = await english(reported, "order-ops")
    newest = await browser.get("/reports")
    assert (newest.status_code, newest.headers["location"]) == (303, "/reports/2026-04")
    page = (await browser.get("/reports/2026-04")).text
    for measure in MEASURES:
        assert f'id="{measure.key}"' in page
    assert "99.00 %" in page and "≥ 99.50 %" in page and "missed" in page and "Month before (2026-03)" in page
    assert "72.0 h" in page and "First-tier cities" in page and "no source: 2" in page
    assert "30 days were not compared" in page


async def test_each_number_opens_the_orders_behind_it(reported: Desk) -> None:
    browser = await english(reported, "cs-supervisor")
    for measure, seen in (("perfect_bp", True), ("after_sales_rate_bp", True), ("payment_delay_ppm", False)):
        page = (await browser.get(f"/reports/2026-04/orders?measure={measure}")).text
        assert ('href="/orders/SO-BAD-1"' in page) is seen and "/orders/SO-GOOD" not in page
    assert (await browser.get("/reports/2026-04/orders?measure=nothing")).status_code == 404


async def test_files_of_a_version_are_the_same_bytes_and_taking_one_is_written_down(reported: Desk) -> None:
    browser = await english(reported, "finance")
    for kind in ("csv", "xlsx"):
        first, again = [(await browser.get(f"/reports/2026-04/file/{kind}")).content for _ in range(2)]
        assert first == again and len(first) > 1_000
    assert len(await reported.audit("console.exported")) == 4
    assert (await browser.get("/reports/2026-04/file/exe")).status_code == 404


async def test_what_is_printed_is_the_report_alone_with_its_name_and_every_figure(reported: Desk) -> None:
    browser = await english(reported, "finance")
    page = (await browser.get("/reports/2026-04/print")).text
    assert "Health report 2026-04" in page and "sidebar-menu" not in page and "Version 1, built" in page
    assert all(f'id="{measure.key}"' in page for measure in MEASURES)
    assert (await browser.get("/reports/2026-07/print")).status_code == 404


async def test_the_week_shows_the_three_parts_of_its_severity(reported: Desk) -> None:
    page = (await (await english(reported, "order-ops")).get("/reports/weekly/2026-W15")).text
    assert "T-BAD" in page and "A buyer waits" in page and "(7 h)" in page and ">38<" in page


async def test_who_sees_some_shops_only_sees_no_report(reported: Desk) -> None:
    await reported.books.execute("INSERT INTO person_scopes VALUES ('finance', 'channel', 'jd')")
    browser = await english(reported, "finance")
    for path in ("", "/orders?measure=perfect_bp", "/file/csv"):
        assert (await browser.get(f"/reports/2026-04{path}")).status_code == 403


@pytest.mark.parametrize("path", ["2026-13", "2026-W17", "weekly/2026-04", "2026-04?version=9", "x/orders"])
async def test_what_is_no_period_or_version_is_not_found(reported: Desk, path: str) -> None:
    assert (await (await english(reported, "order-ops")).get(f"/reports/{path}")).status_code == 404


async def test_a_month_without_a_report_says_how_it_comes_and_without_workers_none_is_built(desk: Desk) -> None:
    browser = await english(desk, "order-ops")
    assert "no report of this month yet" in (await browser.get("/reports/2026-04")).text
    answer = await browser.post("/reports/2026-04/build")
    assert answer.status_code == 503 and "nothing was sent" in answer.text


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.BP, 9_958, "99.58 %"), (Unit.PPM, 1_731, "0.1731 %"), (Unit.MINUTES, 90, "1.5 h"),
        (Unit.SCORE_X10, 750, "75.0"), (Unit.PER_1000_X10, 3, "0.3"), (Unit.BP, None, "–"),
    ],
)  # fmt: skip
def test_a_value_reads_as_people_say_it(unit: Unit, value: int | None, text: str) -> None:
    assert value_text(LANGUAGES["en"], unit, value) == text


async def test_actions_of_a_week_are_agreed_on_and_closed_by_the_worker_only(reported: Desk) -> None:
    browser = await english(reported, "order-ops")
    form = {"anomaly": "T-BAD", "text": "Split by warehouse", "owner": "order-ops", "due": "2026-05-01"}
    answer = await browser.post("/reports/weekly/2026-W15/actions", **form)
    assert answer.status_code == 503 and "nothing was sent" in answer.text
    for change in ({"due": "soon"}, {"text": ""}, {"owner": ""}):
        assert (await browser.post("/reports/weekly/2026-W15/actions", **(form | change))).status_code == 409
    closing = {"action": "1", "held_by": "rules", "version": "many"}
    assert (await browser.post("/reports/weekly/2026-W15/close", **closing)).status_code == 409


async def test_an_open_action_asks_for_the_version_and_a_closed_one_says_whether_it_helped(reported: Desk) -> None:
    await reported.books.execute(ACTION)
    page = (await (await english(reported, "order-ops")).get("/reports/weekly/2026-W15")).text
    assert "Split by warehouse" in page and 'action="/reports/weekly/2026-W15/close"' in page and "late" in page
    await reported.books.execute(
        "UPDATE insight_actions SET held_by = 'rules', held_version = 7, closed_by = 'order-ops', closed_at = now()"
    )
    page = (await (await english(reported, "finance")).get("/reports/weekly/2026-W15")).text
    assert (
        "Rule set 7" in page and "has not come again" in page and 'action="/reports/weekly/2026-W15/close"' not in page
    )


ACTION = """
INSERT INTO insight_actions (week, anomaly_id, order_no, what, text, owner, due, opened_by, opened_at)
VALUES ('2026-W15', 'T-BAD', 'SO-BAD-1', 'qimen: push', 'Split by warehouse', 'order-ops', '2026-05-01', 'order-ops',
    '2026-04-20T00:00:00Z')"""


async def test_beside_the_severity_stands_how_the_order_went_in_page_and_file(reported: Desk) -> None:
    browser = await english(reported, "order-ops")
    page = (await browser.get("/reports/weekly/2026-W15")).text
    assert "Rarity" in page and " bit" not in page, "nothing has moved it"
    await reported.books.execute(
        """INSERT INTO order_events (order_no, key, kind, source, occurred_at, recorded_at, outcome, child_no,
            from_status, to_status)
        SELECT n, 'x', 'x', 'yto', $1, $1, 'APPLIED', n || '-01', 'SHIPPED', s
        FROM (VALUES ('SO-BAD-1', 'REFUSED'), ('SO-GOOD', 'IN_TRANSIT')) AS m (n, s)""", T,
    )  # fmt: skip
    wanted = BuildReport(report="weekly", period="2026-W15", as_of=APRIL.until)
    await InsightActivities(reported.books, lambda: reported.now).build(wanted)
    page = (await browser.get("/reports/weekly/2026-W15")).text
    assert "1.0 bit" in page and "0 h" in page
    file = await browser.get("/reports/weekly/2026-W15/file/csv?version=2")
    assert file.headers["content-disposition"] == 'attachment; filename="weekly-2026-W15-v2.csv"'
    assert "T-BAD,SO-BAD-1" in file.text and ",10,0," in file.text
    assert (await browser.get("/reports/weekly/2026-W16/file/csv")).status_code == 404
    assert (await (await english(reported, "warehouse")).get("/reports/weekly/2026-W15/file/csv")).status_code == 403
