"""Deadlines: when they fall due and who wins at the last moment."""

from datetime import datetime, timedelta
from enum import StrEnum


class TimerOutcome(StrEnum):
    FIRED = "FIRED"
    CANCELLED = "CANCELLED"


def due(start: datetime, duration: timedelta) -> datetime:
    """Moment at which a timer started at `start` fires, in `start`'s own offset."""
    return start + duration


def outcome(due_at: datetime, cancel_at: datetime | None) -> TimerOutcome:
    """A cancelling event at or before the due moment wins; later, or never, the timer has fired."""
    if cancel_at is not None and cancel_at <= due_at:
        return TimerOutcome.CANCELLED
    return TimerOutcome.FIRED
