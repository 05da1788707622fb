"""A complaint counts once, under its number at its order's channel, in the month in which that order was placed."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.insight.reports import BuildReport, InsightActivities
from domain.insight.complaints import TellComplaint
from domain.insight.health import HealthReport
from domain.strict import of
from store.errors import ComplaintRefused, NoSuchOrder
from store.insight.complaints import ComplaintStore
from store.insight.reports import ReportStore
from store.pool import Pool
from tests.store.insight.test_reports import APRIL, AS_OF, HOUR, T, insight

__all__ = ["insight"]
KEY = "complaints_per_1000_x10"


def said(order_no: str, at: datetime, **other: Any) -> TellComplaint:
    fields = {"order_no": order_no, "complaint_no": "C-1", "about": "late", "complained_at": at.isoformat()}
    return of(TellComplaint, fields | other)


async def the_report(insight: InsightActivities, pool: Pool) -> HealthReport:
    await insight.build(BuildReport(report="health", period="2026-04", as_of=AS_OF))
    kept = await ReportStore(pool).read("health", "2026-04")
    assert kept is not None
    return HealthReport.model_validate_json(kept.text)


async def test_until_a_channel_tells_of_one_there_is_no_figure_and_then_each_counts_once(
    insight: InsightActivities, pool: Pool
) -> None:
    assert (await the_report(insight, pool)).figure(KEY).value is None
    store, told = ComplaintStore(pool), said("SPLIT-01", T + HOUR)
    for _ in range(2):
        await store.tell(told, "shop", AS_OF)
    figure = (await the_report(insight, pool)).figure(KEY)
    assert (figure.value, figure.counted, figure.left_out) == (5_000, 2, {"cancelled_unshipped": 1, "not_paid": 1})
    behind = "SELECT order_no FROM insight_report_orders WHERE flags @> '{complained}'"
    assert [row["order_no"] for row in await pool.fetch(behind)] == ["SPLIT-01"]


async def test_who_begins_to_tell_after_a_month_was_silent_in_it(insight: InsightActivities, pool: Pool) -> None:
    await ComplaintStore(pool).tell(said("ELSE-001", APRIL.until + HOUR), "shop", AS_OF)
    assert (await the_report(insight, pool)).figure(KEY).value is None


async def test_what_cannot_be_or_says_otherwise_under_a_known_number_is_refused(
    insight: InsightActivities, pool: Pool
) -> None:
    rows = await pool.fetch("SELECT order_no, placed_at FROM orders ORDER BY order_no LIMIT 2")
    (number, placed), (other, _) = (tuple(row) for row in rows)
    store = ComplaintStore(pool)
    with pytest.raises(NoSuchOrder):
        await store.tell(said("SO0000000000", AS_OF), "shop", AS_OF)
    for at in (placed - timedelta(seconds=1), AS_OF + HOUR):
        with pytest.raises(ComplaintRefused, match="is not counted"):
            await store.tell(said(number, at), "shop", AS_OF)
    await store.tell(said(number, AS_OF), "shop", AS_OF)
    for changed in (said(other, AS_OF), said(number, AS_OF, about="lost")):
        with pytest.raises(ComplaintRefused, match="already"):
            await store.tell(changed, "shop", AS_OF)
    assert await pool.fetchval("SELECT count(*) FROM complaints") == 1
