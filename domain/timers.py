"""Deadlines: when they fall due and who wins at the last moment."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

Seconds = Annotated[int, Field(ge=1, le=10 * 365 * 86400)]
"""A configured duration."""


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
