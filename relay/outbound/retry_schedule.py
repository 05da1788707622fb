"""When an attempt follows a failed one, and after how long somebody is told."""

from dataclasses import dataclass
from datetime import timedelta

from domain.retries import delay_before_retry

USUAL_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Waits before retry 1, 2, …: ten attempts in three days (Standard Webhooks, operational considerations)."""
NOTICE_S = (5, 10, 20)
"""What has to be acknowledged: one try and three retries, then a ticket, then on with the usual waits (R05, R09)."""
JITTER = 0.1
"""Usual waits are stretched by up to this part, so that receivers that were away are not called all at once."""


@dataclass(frozen=True)
class RetrySchedule:
    """`speed` divides the waits between attempts and the times after which somebody is told, never a time-out."""

    speed: float = 1.0
    attempt_s: float = 15.0
    """A whole attempt, name resolution included."""
    lease_s: float = 60.0
    """Far longer than an attempt: who still holds a claim then is dead."""
    most: int = 8
    """Attempts of one subscription at the same time, in this process."""
    poll_s: float = 0.5
    claim_interval_s: float = 0.02
    look_s: float = 15.0
    stop_s: float = 8.0
    sustained_s: float = 5 * 86_400
    """A subscription that has only failed for so long is disabled."""
    notice_late_s: float = 300.0
    """At the latest then a missing acknowledgement is a ticket, though the tries may not even have begun."""
    throttled_s: float = 5.0
    """How long a receiver that throttles without saying for how long is left alone."""
    longest_quiet_s: float = 3_600.0
    keep_s: float = 30 * 86_400
    """Events and their attempts are kept so long, waiting ones of a disabled subscription too."""

    def faster(self, seconds: float) -> timedelta:
        return timedelta(seconds=seconds / self.speed)


def wait_s(failures: int, *, needs_ack: bool, chance: float) -> float | None:
    """Seconds from the end of the failed attempt number `failures` (from 1) to the next; None: that was the last.

    `chance`: 0 to 1.
    """
    if needs_ack and failures <= len(NOTICE_S):
        return float(delay_before_retry(failures, NOTICE_S))
    # The three quick retries stand for the first usual one.
    usual = failures - len(NOTICE_S) + 1 if needs_ack else failures
    return None if usual > len(USUAL_S) else USUAL_S[usual - 1] * (1 + JITTER * chance)
