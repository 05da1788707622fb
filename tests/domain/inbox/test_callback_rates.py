from datetime import UTC, datetime, timedelta

import pytest

from domain.inbox.callback_rates import BadRun, Bucket, alerts_at, follow, rate_bp, total_bp

START = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)


def buckets(*pairs: tuple[int, int]) -> list[Bucket]:
    """From (received, ok), five minutes each."""
    return [Bucket(START + timedelta(minutes=5 * n), received, ok) for n, (received, ok) in enumerate(pairs)]


def at(n: int) -> datetime:
    return START + timedelta(minutes=5 * n)


GOOD, BAD, SILENT = (100, 100), (100, 50), (0, 0)


@pytest.mark.parametrize(
    ("ok", "received", "bp"),
    [(1, 1, 10_000), (0, 3, 0), (1, 3, 3333), (2, 3, 6667), (1, 16, 625), (1, 32, 313), (0, 0, None)],
)
def test_rates_are_rounded_half_up_and_nothing_has_no_rate(ok: int, received: int, bp: int | None) -> None:
    assert rate_bp(ok, received) == bp


def test_the_total_is_of_all_calls_not_of_the_rates() -> None:
    assert total_bp(buckets((1, 0), (999, 999))) == 9990
    assert total_bp([]) is None


def test_a_run_alerts_once_where_it_is_complete() -> None:
    assert alerts_at(buckets(BAD, BAD, BAD, BAD), below_bp=9900, after=2) == (at(1),)


def test_a_good_bucket_ends_a_run_and_the_next_one_alerts_again() -> None:
    assert alerts_at(buckets(BAD, GOOD, BAD, BAD, GOOD, BAD, BAD), below_bp=9900, after=2) == (at(3), at(6))


def test_silence_proves_nothing() -> None:
    assert alerts_at(buckets(BAD, SILENT, BAD), below_bp=9900, after=2) == (at(2),)


def test_the_limit_itself_is_good() -> None:
    assert alerts_at(buckets((10_000, 9_900)), below_bp=9900, after=1) == ()
    assert alerts_at(buckets((10_000, 9_899)), below_bp=9900, after=1) == (at(0),)


def test_a_run_that_was_too_short_alerts_when_the_setting_is_lowered_under_way() -> None:
    run, alert = follow(BadRun(bad=3), buckets(BAD)[0], below_bp=9900, after=2)
    assert (run, alert) == (BadRun(bad=4, alerted=True), True)
