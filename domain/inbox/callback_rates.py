"""The callback board (R18): how many of a source's calls were accepted, and when somebody should look.

Rates are in bp (1/10000), rounded half up. A bucket without calls has no rate: it neither makes a run nor ends one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

WHOLE_BP = 10_000


@dataclass(frozen=True)
class Bucket:
    """Calls of one source in the time from `at` on; `ok` of them were accepted, repeats included."""

    at: datetime
    received: int
    ok: int


@dataclass(frozen=True)
class BadRun:
    """Bad buckets in a row so far. `alerted`: this run has had its alert."""

    bad: int = 0
    alerted: bool = False


def rate_bp(ok: int, received: int) -> int | None:
    """None: nothing was received."""
    return None if received == 0 else (2 * ok * WHOLE_BP + received) // (2 * received)


def total_bp(buckets: Iterable[Bucket]) -> int | None:
    """The rate of all calls together, not the mean of the rates."""
    listed = tuple(buckets)
    return rate_bp(sum(b.ok for b in listed), sum(b.received for b in listed))


def follow(run: BadRun, bucket: Bucket, *, below_bp: int, after: int) -> tuple[BadRun, bool]:
    """The run after one more bucket, and whether this one completes it: alert now, once a run."""
    rate = rate_bp(bucket.ok, bucket.received)
    if rate is None:
        return run, False
    if rate >= below_bp:
        return BadRun(), False
    bad = run.bad + 1
    alert = bad >= after and not run.alerted
    return BadRun(bad, run.alerted or alert), alert


def alerts_at(buckets: Iterable[Bucket], *, below_bp: int, after: int) -> tuple[datetime, ...]:
    """The buckets that complete a run."""
    found, run = [], BadRun()
    for bucket in buckets:
        run, alert = follow(run, bucket, below_bp=below_bp, after=after)
        if alert:
            found.append(bucket.at)
    return tuple(found)
