from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.timers import TimerOutcome, due, outcome

START = datetime(2026, 3, 2, 20, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize(
    ("second", "expected"),
    [(-1, TimerOutcome.CANCELLED), (0, TimerOutcome.CANCELLED), (1, TimerOutcome.FIRED)],
)
def test_a_cancelling_event_at_or_before_the_deadline_wins(second: int, expected: TimerOutcome) -> None:
    due_at = due(START, timedelta(minutes=30))
    assert outcome(due_at, due_at + timedelta(seconds=second)) is expected
    assert outcome(due_at, (due_at + timedelta(seconds=second)).astimezone(UTC)) is expected


def test_a_deadline_that_nothing_cancels_fires() -> None:
    assert outcome(START, None) is TimerOutcome.FIRED


def test_a_deadline_is_told_in_the_offset_of_its_start() -> None:
    assert due(START, timedelta(days=7)).isoformat() == "2026-03-09T20:00:00+08:00"
