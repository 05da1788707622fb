"""`timers`: when a deadline falls due, and whether a cancelling event came in time (R13, R43, R52)."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, TypeAdapter

from bench.scenarios.document import Scenario, block, read_as
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.town import Town
from domain.strict import Strict
from domain.timers import due, outcome

Count = Annotated[int, Field(ge=0, le=10**9)]


class TimerIn(Strict):
    name: str
    start: AwareDatetime
    seconds: Count | None = None
    minutes: Count | None = None
    hours: Count | None = None
    days: Count | None = None
    cancel_at: AwareDatetime | None = None


TIMERS = TypeAdapter(tuple[TimerIn, ...])


async def play(scenario: Scenario, _: Town) -> list[dict[str, Any]]:
    return [_played(timer) for timer in read_as(TIMERS, block(scenario, "timers"), "input.timers")]


def _played(timer: TimerIn) -> dict[str, Any]:
    try:
        due_at = due(timer.start, _duration(timer))
    except OverflowError:
        raise Malformed(f"input.timers: {timer.name} is due beyond the calendar") from None
    return {"name": timer.name, "due": due_at.isoformat(), "outcome": outcome(due_at, timer.cancel_at).value}


def _duration(timer: TimerIn) -> timedelta:
    units = timer.model_dump(include={"seconds", "minutes", "hours", "days"}, exclude_none=True)
    if len(units) != 1:
        raise Malformed(f"input.timers: {timer.name} wants exactly one of seconds, minutes, hours, days")
    return timedelta(**units)
