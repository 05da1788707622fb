"""How unusual an order's way was: bits of its steps, hours beyond what is usual in each status."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

from domain.insight.export import week_as_csv
from domain.insight.parameters import AnomalyKind, InsightParameters
from domain.insight.paths import Habits, Move, OrderWay, Standing, way
from domain.insight.periods import week
from domain.insight.severity import Anomaly
from domain.insight.weekly import WeeklyReport, weekly_report

T = datetime(2026, 4, 20, tzinfo=UTC)
H = timedelta(hours=1)
SHIPPED, MOVING = Standing(True, "SHIPPED"), Standing(True, "IN_TRANSIT")
HABITS = Habits(
    steps={(SHIPPED, "IN_TRANSIT"): 7, (SHIPPED, "EXCEPTION"): 1, (MOVING, "SIGNED"): 4},
    p95={SHIPPED: 5 * H, MOVING: 48 * H},
)


def moves(*given: tuple[str, str, int], child: str | None = "SO1-01") -> list[Move]:
    return [Move(child, before, after, T + hour * H) for before, after, hour in given]


def test_a_step_that_one_of_eight_takes_is_three_bits_and_one_that_all_take_is_none() -> None:
    assert way(moves(("SHIPPED", "EXCEPTION", 0)), HABITS, T).rarity_x10 == 30
    assert way(moves(("IN_TRANSIT", "SIGNED", 0)), HABITS, T).rarity_x10 == 0
    usual = way(moves(("SHIPPED", "IN_TRANSIT", 0), ("IN_TRANSIT", "SIGNED", 1)), HABITS, T)
    assert usual.rarity_x10 == 2, "-log2(7/8) is 0.19"


def test_a_step_that_nobody_else_took_counts_as_one_more_and_a_status_of_an_order_is_no_childs() -> None:
    assert way(moves(("SHIPPED", "PICKING", 0)), HABITS, T).rarity_x10 == 32, "log2(9)"
    assert way(moves(("SHIPPED", "EXCEPTION", 0), child=None), HABITS, T).rarity_x10 == 0, "nothing to compare with"


def test_only_the_hours_over_the_usual_of_each_status_count_also_of_who_still_stands() -> None:
    late = moves(("PACKED", "SHIPPED", 0), ("SHIPPED", "IN_TRANSIT", 9))
    assert way(late, HABITS, T + 10 * H).hours_beyond == 4
    assert way(late, HABITS, T + (9 + 50) * H).hours_beyond == 4 + 2
    assert way(moves(("PACKED", "SHIPPED", 0), ("SHIPPED", "IN_TRANSIT", 3)), HABITS, T + 4 * H).hours_beyond == 0


def test_the_end_of_a_life_is_no_stay_and_a_gap_between_two_facts_is_none() -> None:
    habits = Habits(p95={Standing(True, "SIGNED"): H, SHIPPED: H})
    assert way(moves(("IN_TRANSIT", "SIGNED", 0)), habits, T + 900 * H).hours_beyond == 0
    gap = moves(("PICKING", "PACKED", 0), ("SHIPPED", "SIGNED", 30))
    assert way(gap, habits, T + 31 * H).hours_beyond == 0


def test_children_of_an_order_move_each_by_itself() -> None:
    both = [*moves(("PACKED", "SHIPPED", 0), child="A"), *moves(("PACKED", "SHIPPED", 8), child="B"),
            *moves(("SHIPPED", "SIGNED", 10), child="A"), *moves(("SHIPPED", "SIGNED", 10), child="B")]  # fmt: skip
    assert way(both, Habits(p95={SHIPPED: 5 * H}), T + 10 * H).hours_beyond == 5


def test_what_nothing_has_moved_has_no_way_and_the_ranking_stays_by_severity() -> None:
    assert way((), HABITS, T) == (None, None)
    span = week("2026-W17")
    anomalies = [
        Anomaly(id, f"SO-{id}", AnomalyKind.CUSTOMER_STUCK, 0, span.since, hours, False)
        for id, hours in (("mild", 1), ("bad", 9))
    ]
    ways = {"SO-mild": way(moves(("SHIPPED", "EXCEPTION", 0)), HABITS, T)}
    report = weekly_report(span, InsightParameters(), anomalies, ways)
    assert [(e.id, e.rarity_x10, e.hours_beyond) for e in report.top] == [("bad", None, None), ("mild", 30, 0)]


def test_the_file_of_a_week_shows_the_three_parts_and_no_cell_is_a_formula() -> None:
    anomaly = Anomaly("X", "SO1", AnomalyKind.CUSTOMER_STUCK, 0, week("2026-W17").since, 4, False, "=HYPERLINK(1)")
    report = weekly_report(week("2026-W17"), InsightParameters(), [anomaly], {"SO1": OrderWay(46, 8)})
    rows = list(csv.reader(io.StringIO(week_as_csv(report, 3).decode("utf-8-sig"))))
    assert rows[1] == ["2026-W17", "3", "1"]
    shown = dict(zip(rows[3], rows[4], strict=True))
    parts = ("严重度 Severity", "路径罕见度 Rarity, 0.1 bit", "超常停留小时 Hours beyond p95")
    assert [shown[part] for part in parts] == ["34", "46", "8"]
    assert shown["事由 What"] == "'=HYPERLINK(1)"


def test_a_version_from_before_they_were_told_is_still_read() -> None:
    anomaly = Anomaly("X", "SO1", AnomalyKind.CUSTOMER_STUCK, 0, week("2026-W17").since, 1, False)
    old = weekly_report(week("2026-W17"), InsightParameters(), [anomaly]).model_dump(mode="json")
    for name in ("rarity_x10", "hours_beyond"):
        del old["top"][0][name]
    assert WeeklyReport.model_validate_json(json.dumps(old)).top[0].rarity_x10 is None
