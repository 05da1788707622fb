"""Reports by HTTP: as they were built, with what each figure means, for programs that may see all shops."""

from datetime import UTC, datetime
from typing import Any

from domain.access.api_tokens import ApiScope
from domain.insight.definitions import MEASURES
from domain.insight.facts import MeasuredOrder, MonthFacts
from domain.insight.health import health_report
from domain.insight.parameters import InsightParameters
from domain.insight.periods import month, week
from domain.insight.weekly import weekly_report
from store.insight.reports import ReportStore
from tests.open_api.programs import Door

T = datetime(2026, 4, 10, tzinfo=UTC)
AT = datetime(2026, 5, 1, tzinfo=UTC)


async def a_report(door: Door, *orders: MeasuredOrder) -> None:
    report = health_report(MonthFacts(month("2026-04"), AT, InsightParameters(), orders))
    behind = [(order.order_no, ["paid", "split"]) for order in orders]
    await ReportStore(door.house.pool).keep("health", "2026-04", report.model_dump_json(), behind, AT)


async def test_a_month_is_read_with_what_its_figures_mean_and_the_orders_behind_them(door: Door) -> None:
    erp = await door.program(ApiScope.REPORTS_READ)
    for most in (2, 3):
        await a_report(door, *(MeasuredOrder(f"SO-{n}", T, paid_at=T, parcels=n) for n in range(1, most + 1)))
    report = (await erp.get("/reports/health/2026-04")).json()
    assert (report["version"], report["orders"]) == (2, 3)
    assert [figure["measure"] for figure in report["figures"]] == [measure.key for measure in MEASURES]
    split = next(figure for figure in report["figures"] if figure["measure"] == "split_rate_bp")
    assert (split["value"], split["counted"], split["coverage_bp"], split["unit"]) == (6_667, 3, 10_000, "bp")
    assert split["name"] == {"zh": "拆单率", "en": "Split rate"} and split["met"] is None
    assert (await erp.get("/reports/health/2026-04", version=1)).json()["orders"] == 2
    path = "/reports/health/2026-04/orders"
    first = (await erp.get(path, measure="split_rate_bp", limit=2)).json()
    assert (first["orders"], first["next"]) == (["SO-1", "SO-2"], "SO-2")
    rest = (await erp.get(path, measure="split_rate_bp", limit=2, after=first["next"])).json()
    assert (rest["orders"], rest["next"]) == (["SO-3"], None)
    assert (await erp.get(path, measure="nonsense")).status_code == 422


async def test_a_week_is_read(door: Door) -> None:
    report = weekly_report(week("2026-W15"), InsightParameters(), ())
    await ReportStore(door.house.pool).keep("weekly", "2026-W15", report.model_dump_json(), (), AT)
    found = (await (await door.program()).get("/reports/weekly/2026-W15")).json()
    assert (found["version"], found["report"]["week"], found["report"]["top"]) == (1, "2026-W15", [])


async def test_what_is_not_there_and_who_may_not_see_all_is_refused_and_written_down(door: Door) -> None:
    erp = await door.program(ApiScope.REPORTS_READ)
    for path in ("health/2025-01", "health/2026-13", "weekly/2026-04", "health/2026-04?version=99"):
        missing = await erp.get(f"/reports/{path}")
        assert (missing.status_code, missing.json()["code"]) == (404, "NO_SUCH_REPORT"), path
    other = await (await door.program(ApiScope.ORDERS_READ)).get("/reports/health/2026-04")
    assert (other.status_code, other.json()["code"]) == (403, "WRONG_SCOPE")
    narrow: tuple[dict[str, Any], ...] = ({"channels": ("wechat-mini",)}, {"warehouses": ("WH-EAST",)})
    for narrowed in narrow:
        refused = await (await door.program(ApiScope.REPORTS_READ, **narrowed)).get("/reports/health/2026-04")
        assert (refused.status_code, refused.json()["code"]) == (403, "OUT_OF_SCOPE")
    assert "OUT_OF_SCOPE" in {row.detail["code"] for row in await door.audit("api.refused")}
