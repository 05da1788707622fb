"""`pull`: when a payment whose callback was lost is found, and whether the order was closed over it (R12, R13, R19).

The same through running workflows: `tests/workflows/test_pull.py`.
"""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from bench.scenarios.document import Scenario, block, read
from bench.scenarios.town import Town
from domain.pulling import synced
from domain.strict import Strict

Seconds = Annotated[int, Field(ge=1, le=10**9)]


class PullIn(Strict):
    """`callback`: what became of the channel's own message: `delivered` in the moment of payment, or lost, and why."""

    interval_s: Seconds
    first_tick: AwareDatetime
    paid_at: AwareDatetime
    callback: Annotated[str, Field(pattern="^(delivered|(lost|dropped)(_[a-z_]+)?)$")]
    timeout_at: AwareDatetime
    delay_threshold_s: Annotated[int, Field(ge=0, le=10**9)]


async def play(scenario: Scenario, _: Town) -> dict[str, Any]:
    given = read(PullIn, block(scenario, "pull"), "input.pull")
    found = synced(
        given.paid_at,
        heard_at=given.paid_at if given.callback == "delivered" else None,
        first_tick=given.first_tick,
        interval=timedelta(seconds=given.interval_s),
        timeout_at=given.timeout_at,
        threshold=timedelta(seconds=given.delay_threshold_s),
    )
    return {
        "synced_at": found.synced_at.isoformat(),
        "latency_s": found.latency_s,
        "counts_as_delayed": found.counts_as_delayed,
        "auto_cancelled": found.auto_cancelled,
    }
