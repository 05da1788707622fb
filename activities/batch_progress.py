"""What is known of a batch's items: carried from attempt to attempt, so that what has ended is not called again."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field, ValidationError

from domain.strict import Strict, of


class BatchProgress(Strict):
    """A heartbeat's details. Items go by their place: every attempt of an activity has the same ones."""

    attempt: int
    unclear: tuple[int, ...] = ()
    """Items that this attempt, or an earlier one, may have done."""
    ended: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Outcomes that are final, by place: done, or refused."""


def before(details: Sequence[Any], attempt: int, count: int) -> BatchProgress:
    """What the attempts before this one have left. One that ended without a word may have done whatever was open."""
    if attempt == 1:
        return BatchProgress(attempt=0)
    last = told(details)
    if last.attempt == attempt - 1:
        return last
    return last.model_copy(update={"unclear": tuple(place for place in range(count) if str(place) not in last.ended)})


def told(details: Sequence[Any]) -> BatchProgress:
    """What anybody else has put there says nothing."""
    try:
        return of(BatchProgress, details[0]) if details else BatchProgress(attempt=0)
    except (TypeError, ValidationError):
        return BatchProgress(attempt=0)
