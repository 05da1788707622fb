"""Asking every so often: when a lost message is made up for, and what counts as late (R12, R13, R19)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LATE_AFTER = timedelta(seconds=300)
"""Longer than this between what happened and our knowing is out of step (R19, R65); exactly this is still in step."""


@dataclass(frozen=True)
class Synced:
    """When an order knows of its payment. `latency_s`: whole seconds since the buyer paid."""

    synced_at: datetime
    latency_s: int
    counts_as_delayed: bool
    auto_cancelled: bool


def next_tick(first: datetime, interval: timedelta, since: datetime) -> datetime:
    """The first tick at or after `since`, of those at `first`, `first + interval`, …"""
    if since <= first:
        return first
    return first + interval * -((first - since) // interval)


def late(happened_at: datetime, known_at: datetime, threshold: timedelta = LATE_AFTER) -> bool:
    return known_at - happened_at > threshold


def synced(
    paid_at: datetime,
    *,
    heard_at: datetime | None,
    first_tick: datetime,
    interval: timedelta,
    timeout_at: datetime,
    threshold: timedelta = LATE_AFTER,
) -> Synced:
    """Whoever is first to know counts: the callback (`heard_at`, None when it is lost), the next tick, or the order
    itself, which asks the channel at its deadline before it closes anything. Paid at the last moment is paid in time;
    paid after it is found all the same, and given back."""
    in_time = paid_at <= timeout_at
    known = [next_tick(first_tick, interval, paid_at)]
    if heard_at is not None:
        known.append(heard_at)
    if in_time:
        known.append(timeout_at)
    at = min(known)
    return Synced(at, (at - paid_at) // timedelta(seconds=1), late(paid_at, at, threshold), not in_time)
