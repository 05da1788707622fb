from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policy import Policy
from domain.retries import Attempt, UnableToPlay, delay_before_retry, schedule

START = datetime(2026, 3, 4, 10, tzinfo=UTC)
seconds = st.integers(0, 600)


@pytest.mark.parametrize(("k", "wait"), [(1, 5), (2, 10), (3, 20), (4, 20), (100, 20)])
def test_waits_follow_the_policy_and_the_last_one_repeats(k: int, wait: int) -> None:
    assert delay_before_retry(k, Policy().retry_backoff_s) == wait


@pytest.mark.parametrize(("spacing", "wait"), [(9, 10), (10, 10), (60, 60)])
def test_a_system_that_limits_calls_is_not_asked_sooner(spacing: int, wait: int) -> None:
    assert delay_before_retry(2, (5, 10, 20), spacing) == wait


def test_without_a_backoff_only_the_spacing_counts() -> None:
    assert delay_before_retry(1, (), 7) == 7


def test_retries_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        delay_before_retry(0, (5,))


@given(
    st.integers(0, 5),
    st.lists(seconds, max_size=5),
    seconds,
    st.lists(st.builds(Attempt, st.booleans(), seconds), min_size=6, max_size=8),
)
def test_there_is_one_try_and_at_most_the_retries_and_exactly_one_end(
    max_retries: int, backoff_s: list[int], spacing_s: int, results: list[Attempt]
) -> None:
    played = schedule(START, max_retries, backoff_s, spacing_s, results)
    count = len(played.attempts)
    assert 1 <= count <= 1 + max_retries
    assert (played.succeeded_at is None) is not (played.work_order_at is None)
    assert (played.succeeded_at is not None) is results[count - 1].ok
    assert played.work_order_at is None or count == 1 + max_retries
    ended = played.succeeded_at or played.work_order_at
    assert ended == played.attempts[-1] + timedelta(seconds=results[count - 1].takes_s)
    for k in range(1, count):
        wait = played.attempts[k] - played.attempts[k - 1] - timedelta(seconds=results[k - 1].takes_s)
        assert wait.total_seconds() == delay_before_retry(k, backoff_s, spacing_s)


def test_a_missing_result_is_named() -> None:
    with pytest.raises(UnableToPlay, match="result 2 is missing"):
        schedule(START, 3, (5,), 0, [Attempt(ok=False, takes_s=1)])
