"""A fact's own time counts within what is possible: since the order was paid, until the fact was heard."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.facts import COURIER_KINDS, FIRST, LAST, Fact, Kind
from domain.fulfilment.fact_times import timed

PAID = datetime(2026, 11, 20, 4, 0, 0, 700_000, tzinfo=UTC)
NOW = PAID + timedelta(days=3)
SKEW = 900


def told(kind: Kind, at: datetime) -> Fact:
    return Fact(key="k", kind=kind, source="s", occurred_at=at, child_no="SO-01")


@pytest.mark.parametrize("kind", sorted(COURIER_KINDS))
@pytest.mark.parametrize(
    ("at", "moves", "odd"),
    [
        (PAID - timedelta(days=300), False, False),
        (PAID - timedelta(seconds=1), False, False),
        (PAID.replace(microsecond=0), True, False),
        (NOW, True, False),
        (NOW + timedelta(seconds=SKEW), True, False),
        (NOW + timedelta(seconds=SKEW + 1), False, True),
        (LAST, False, True),
    ],
)
def test_a_scan_counts_between_the_payment_and_now(kind: Kind, at: datetime, moves: bool, odd: bool) -> None:
    heard = timed(told(kind, at), PAID, NOW, SKEW)
    assert (heard.stale == "", heard.odd != "") == (moves, odd)


@pytest.mark.parametrize("kind", [Kind.WAYBILL_RETURNED, Kind.PACKED, Kind.INTERCEPTED])
@pytest.mark.parametrize(
    ("at", "counts_as", "odd"),
    [
        (PAID - timedelta(days=40), PAID, False),
        (PAID + timedelta(days=1), PAID + timedelta(days=1), False),
        (NOW + timedelta(seconds=SKEW), NOW + timedelta(seconds=SKEW), False),
        (NOW + timedelta(seconds=SKEW + 1), NOW, True),
        (LAST, NOW, True),
    ],
)
def test_what_a_warehouse_says_has_happened_at_a_time_that_is_possible(
    kind: Kind, at: datetime, counts_as: datetime, odd: bool
) -> None:
    heard = timed(told(kind, at), PAID, NOW, SKEW)
    assert (heard.fact.occurred_at, heard.stale, heard.odd != "") == (counts_as, "", odd)


@pytest.mark.parametrize(("edge", "hours"), [(LAST.replace(day=31), -8), (FIRST.replace(day=1), 8)])
def test_a_time_at_the_edge_of_the_calendar_can_be_told_in_utc(edge: datetime, hours: int) -> None:
    at = edge.replace(hour=20 if hours < 0 else 4, tzinfo=timezone(timedelta(hours=hours)))
    fact = told(Kind.SIGNED, at)
    assert fact.occurred_at.astimezone(UTC).year in (1, 9999)
