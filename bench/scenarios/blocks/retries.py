"""`retries`: when each attempt starts, and when success or the work order comes (R09, R10)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field, TypeAdapter

from bench.scenarios.document import Scenario, block, read_as
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.town import Town
from domain.retries import Attempt, UnableToPlay, schedule
from domain.strict import Strict

Seconds = Annotated[int, Field(ge=0, le=10**9)]


class ResultIn(Strict):
    ok: bool
    takes_s: Seconds


class RetriesIn(Strict):
    name: str
    start: AwareDatetime
    max_retries: Annotated[int, Field(ge=0, le=1000)]
    backoff_s: tuple[Seconds, ...]
    min_spacing_s: Seconds = 0
    results: tuple[ResultIn, ...]


RETRIES = TypeAdapter(tuple[RetriesIn, ...])


async def play(scenario: Scenario, _: Town) -> list[dict[str, Any]]:
    return [_played(call) for call in read_as(RETRIES, block(scenario, "retries"), "input.retries")]


def _played(call: RetriesIn) -> dict[str, Any]:
    results = [Attempt(r.ok, r.takes_s) for r in call.results]
    try:
        found = schedule(call.start, call.max_retries, call.backoff_s, call.min_spacing_s, results)
    except UnableToPlay as e:
        raise Malformed(f"input.retries: {call.name}: {e}") from None
    return {
        "name": call.name,
        "attempts": [at.isoformat() for at in found.attempts],
        "succeeded_at": found.succeeded_at and found.succeeded_at.isoformat(),
        "work_order_at": found.work_order_at and found.work_order_at.isoformat(),
    }
