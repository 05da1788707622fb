"""The worst of a week: points that anybody can add up, ties to the older one."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.insight.parameters import AnomalyKind, InsightParameters
from domain.insight.periods import week
from domain.insight.severity import Anomaly, kind_of, ranked, top

WEEK = week("2026-W17")
PARAMETERS = InsightParameters()


def an_anomaly(id: str = "X1", **known: Any) -> Anomaly:
    fields: dict[str, Any] = {
        "order_no": "SO1", "kind": AnomalyKind.CUSTOMER_STUCK, "amount_minor": 0, "opened_at": WEEK.since,
        "hours_open": 0, "manual": False,
    }  # fmt: skip
    return Anomaly(id, **(fields | known))


def test_hours_and_amounts_count_up_to_their_caps_in_whole_steps() -> None:
    small = ranked(an_anomaly(hours_open=3, amount_minor=19_999), PARAMETERS)
    assert (small.kind_points, small.hour_points, small.amount_points, small.score) == (30, 3, 1, 34)
    assert ranked(an_anomaly(hours_open=999, amount_minor=10**9), PARAMETERS).score == 30 + 48 + 20


def test_of_equal_ones_the_older_goes_first_and_only_the_weeks_own_count() -> None:
    found = [
        an_anomaly("late", opened_at=WEEK.until),
        an_anomaly("second", opened_at=WEEK.since + timedelta(hours=1)),
        an_anomaly("first", opened_at=WEEK.since),
        an_anomaly("early", opened_at=WEEK.since - timedelta(seconds=1)),
    ]
    assert [r.anomaly.id for r in top(found, WEEK, PARAMETERS)] == ["first", "second"]
    assert [r.anomaly.id for r in top(found, WEEK, PARAMETERS, most=1)] == ["first"]


@pytest.mark.parametrize(
    ("system", "step", "kind"),
    [
        ("wechat", "refund R-1", AnomalyKind.REFUND_BEFORE_GOODS),
        ("wechat", "reconcile", AnomalyKind.STATE_MISMATCH),
        ("ownership", "anything", AnomalyKind.STATE_MISMATCH),
        ("supplier", "confirm", AnomalyKind.SPLIT_DISPUTED),
        ("qimen", "push", AnomalyKind.CUSTOMER_STUCK),
    ],
)
def test_a_ticket_is_of_the_kind_that_its_system_and_step_say(system: str, step: str, kind: AnomalyKind) -> None:
    assert kind_of(system, step) is kind


def test_the_moment_is_of_shanghais_week() -> None:
    assert an_anomaly(opened_at=datetime.fromisoformat("2026-04-19T16:00:00+00:00")).opened_at in WEEK
