"""`board`: callback rates by bucket, in total, and when a run of bad ones alerts (R18)."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from bench.scenarios.document import Scenario, block, read
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.town import Town
from domain.board import WHOLE_BP, Bucket, alerts_at, rate_bp, total_bp
from domain.strict import Strict

Count = Annotated[int, Field(ge=0, le=10**12)]


class BucketIn(Strict):
    at: AwareDatetime
    received: Count
    ok: Count


class BoardIn(Strict):
    bucket_minutes: Annotated[int, Field(ge=1, le=1440)]
    alert_below_bp: Annotated[int, Field(ge=0, le=WHOLE_BP)]
    alert_after_consecutive: Annotated[int, Field(ge=1, le=1000)]
    buckets: tuple[BucketIn, ...]


async def play(scenario: Scenario, _: Town) -> dict[str, Any]:
    given = read(BoardIn, block(scenario, "board"), "input.board")
    _check(given)
    buckets = [Bucket(b.at, b.received, b.ok) for b in given.buckets]
    alerts = alerts_at(buckets, below_bp=given.alert_below_bp, after=given.alert_after_consecutive)
    return {
        "rates_bp": [rate_bp(b.ok, b.received) for b in buckets],
        "total_bp": total_bp(buckets),
        "alerts_at": [at.isoformat() for at in alerts],
    }


def _check(given: BoardIn) -> None:
    step = timedelta(minutes=given.bucket_minutes)
    for n, bucket in enumerate(given.buckets):
        if bucket.ok > bucket.received:
            raise Malformed(f"input.board.buckets.{n}: more calls ok than received")
        if n and bucket.at - given.buckets[n - 1].at < step:
            raise Malformed(f"input.board.buckets.{n}: starts before the one before it has ended")
