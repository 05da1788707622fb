"""`board`: callback rates by bucket, in total, and when a run of bad ones alerts (R18).

Accepted calls are rows of the inbox, refused ones rows of its refusals; the SQL view counts, the relay's watch judges.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import ScenarioEnvironment, Servers
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.shift import Shift
from domain.inbox.callback_rates import WHOLE_BP, Bucket, alerts_at, rate_bp, total_bp
from domain.strict import Strict
from store.inbox.callback_rates import BUCKET, GRACE, Alert, BoardStore, bucket_start
from store.inbox.inbox import Incoming, RefusedMessage

Count = Annotated[int, Field(ge=0, le=10**12)]
MOST_CALLS = 50_000
AT_ONCE = 1_000
SOURCE = "file"
NOTHING = hashlib.sha256(b"").digest()


class BucketIn(Strict):
    at: AwareDatetime
    received: Count
    ok: Count


class BoardIn(Strict):
    bucket_minutes: Annotated[int, Field(ge=1, le=1440)]
    alert_below_bp: Annotated[int, Field(ge=0, le=WHOLE_BP)]
    alert_after_consecutive: Annotated[int, Field(ge=1, le=1000)]
    buckets: tuple[BucketIn, ...]


async def play(scenario: Scenario, servers: Servers) -> Any:
    given = read(BoardIn, block(scenario, "board"), "input.board")
    _check(given)
    if why := _why_not(given):
        return ByRule(_by_rule(given), why)
    async with servers.house() as house:
        first = given.buckets[0].at
        shift = Shift(first, bucket_start(first))  # the board's spans begin on the clock
        for n, bucket in enumerate(given.buckets):
            await _called(house, n, bucket, shift.to_house(bucket.at))
        return await _told(house, given, shift)


async def _called(house: ScenarioEnvironment, n: int, bucket: BucketIn, at: datetime) -> None:
    """The calls of one span, spread over it."""
    step = BUCKET / max(bucket.received, 1)
    times = [at + i * step for i in range(bucket.received)]
    good = [
        Incoming(SOURCE, f"{n}-{i}", "TOLD", NOTHING, b"", (), moment) for i, moment in enumerate(times[: bucket.ok])
    ]
    bad = [RefusedMessage(SOURCE, "192.0.2.1", "bad_signature", "", NOTHING, moment) for moment in times[bucket.ok :]]
    for start in range(0, len(good), AT_ONCE):
        await house.inbox.add_many(good[start : start + AT_ONCE])
    await house.inbox.refuse_many(bad)


async def _told(house: ScenarioEnvironment, given: BoardIn, shift: Shift) -> dict[str, Any]:
    board = BoardStore(house.pool)
    alerts: list[Alert] = []
    for bucket in given.buckets:
        looked_at = shift.to_house(bucket.at) + BUCKET + GRACE
        alerts += await board.judge(looked_at, below_bp=given.alert_below_bp, after=given.alert_after_consecutive)
    ends = shift.to_house(given.buckets[-1].at) + BUCKET
    shown = {b.bucket: b for b in await board.buckets(shift.to_house(given.buckets[0].at), ends, SOURCE)}
    spans = [shown.get(shift.to_house(bucket.at).astimezone(UTC)) for bucket in given.buckets]
    return {
        "rates_bp": [span and span.rate_bp for span in spans],
        "total_bp": total_bp(Bucket(span.bucket, span.received, span.accepted) for span in spans if span),
        "alerts_at": [shift.to_file(alert.worst.bucket) for alert in alerts],
    }


def _check(given: BoardIn) -> None:
    step = timedelta(minutes=given.bucket_minutes)
    for n, bucket in enumerate(given.buckets):
        if bucket.ok > bucket.received:
            raise Malformed(f"input.board.buckets.{n}: more calls ok than received")
        if n and bucket.at - given.buckets[n - 1].at < step:
            raise Malformed(f"input.board.buckets.{n}: starts before the one before it has ended")


def _why_not(given: BoardIn) -> str:
    first = given.buckets[0].at if given.buckets else None
    if first is None or timedelta(minutes=given.bucket_minutes) != BUCKET:
        return "the board counts in spans of five minutes"
    if any((bucket.at - first) % BUCKET for bucket in given.buckets):
        return "spans that do not lie on one clock"
    if sum(bucket.received for bucket in given.buckets) > MOST_CALLS:
        return f"more than {MOST_CALLS} calls"
    return ""


def _by_rule(given: BoardIn) -> dict[str, Any]:
    buckets = [Bucket(b.at, b.received, b.ok) for b in given.buckets]
    alerts = alerts_at(buckets, below_bp=given.alert_below_bp, after=given.alert_after_consecutive)
    return {
        "rates_bp": [rate_bp(b.ok, b.received) for b in buckets],
        "total_bp": total_bp(buckets),
        "alerts_at": [at.isoformat() for at in alerts],
    }
