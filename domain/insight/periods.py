"""Months and weeks as Shanghai's calendar has them: the spans that reports are about."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cached_property

SHANGHAI = timezone(timedelta(hours=8))
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
MOST_MISSED = 12
"""Reports that are made up for after nobody has built any."""
_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)


class NoSuchPeriod(ValueError):
    """The text names no month (2026-04) or week (2026-W17)."""


@dataclass(frozen=True)
class Span:
    """From `since` on, before `until`. `name`: `2026-04`, or `2026-W17` of a week that begins on Monday (ISO 8601)."""

    name: str
    since: datetime
    until: datetime

    def __contains__(self, at: datetime | None) -> bool:
        # Times of one zone compare ten times as fast, and the books tell theirs in UTC.
        since, until = self._in_utc
        return at is not None and since <= at < until

    @cached_property
    def _in_utc(self) -> tuple[datetime, datetime]:
        return self.since.astimezone(UTC), self.until.astimezone(UTC)


def month(name: str) -> Span:
    """Raises `NoSuchPeriod`."""
    found = _MONTH.fullmatch(name)
    if found is None or not 1 < int(found[1]) < 9999:
        raise NoSuchPeriod(f"{name!r} is no month; write it as 2026-04")
    year, number = int(found[1]), int(found[2])
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    return Span(name, _midnight(date(year, number, 1)), _midnight(date(*following, 1)))


def week(name: str) -> Span:
    """Raises `NoSuchPeriod`."""
    found = _WEEK.fullmatch(name)
    try:
        if found is None:
            raise ValueError
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return Span(name, _midnight(monday), _midnight(monday + timedelta(days=7)))
    except (ValueError, OverflowError):
        raise NoSuchPeriod(f"{name!r} is no week; write it as 2026-W17") from None


def month_before(at: datetime) -> Span:
    """The last month that was over at that moment."""
    first = at.astimezone(SHANGHAI).date().replace(day=1)
    return month(f"{first - timedelta(days=1):%Y-%m}")


def week_before(at: datetime) -> Span:
    today = at.astimezone(SHANGHAI).date()
    year, number, _ = (today - timedelta(days=7)).isocalendar()
    return week(f"{year}-W{number:02}")


def months_after(done: str, last: Span) -> tuple[str, ...]:
    """Months after `done` up to `last`, oldest first; none for an empty `done`."""
    return _after(done, last, month_before)


def weeks_after(done: str, last: Span) -> tuple[str, ...]:
    return _after(done, last, week_before)


def _after(done: str, last: Span, before: Callable[[datetime], Span]) -> tuple[str, ...]:
    found: list[str] = []
    while done and last.name > done and len(found) < MOST_MISSED:
        found.append(last.name)
        last = before(last.since)
    return tuple(reversed(found))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
