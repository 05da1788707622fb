"""One try and a few retries, then a person (R09, R10): how long to wait and when to stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


class UnableToPlay(ValueError):
    """The attempts stop before the retries do: there is no result to tell how the next one went."""


@dataclass(frozen=True)
class Attempt:
    """How one attempt went."""

    ok: bool
    takes_s: int


@dataclass(frozen=True)
class Schedule:
    """When each attempt started, and how the call ended: exactly one of the two moments is set."""

    attempts: tuple[datetime, ...]
    succeeded_at: datetime | None
    work_order_at: datetime | None


def delay_before_retry(k: int, backoff_s: Sequence[int], min_spacing_s: int = 0) -> int:
    """Seconds to wait before retry `k` (from 1), counted from the end of the attempt before it.

    `backoff_s[k-1]`, the last one repeated when there are more retries, but never under `min_spacing_s`: a system that
    limits calls to one a minute refuses a sooner one for certain (docs/providers.md, WeChat Pay).
    """
    if k < 1:
        raise ValueError(f"retries are counted from 1, not {k}")
    wait = backoff_s[min(k, len(backoff_s)) - 1] if backoff_s else 0
    return max(wait, min_spacing_s)


def schedule(
    start: datetime, max_retries: int, backoff_s: Sequence[int], min_spacing_s: int, results: Sequence[Attempt]
) -> Schedule:
    """Plays the attempts: the first one at `start`, at most `1 + max_retries` of them.

    Results beyond those are never looked at. Raises `UnableToPlay` when they run out before the call has ended.
    """
    at, attempts = start, list[datetime]()
    for k in range(1 + max_retries):
        if k == len(results):
            raise UnableToPlay(f"result {k + 1} is missing: {k} attempts failed, but {max_retries} retries are allowed")
        attempts.append(at)
        ended = at + timedelta(seconds=results[k].takes_s)
        if results[k].ok:
            return Schedule(tuple(attempts), ended, None)
        at = ended + timedelta(seconds=delay_before_retry(k + 1, backoff_s, min_spacing_s))
    return Schedule(tuple(attempts), None, ended)
