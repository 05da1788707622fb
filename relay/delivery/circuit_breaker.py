"""During an outage of Temporal one signal at a time finds out whether it is over; the backlog waits in Postgres."""

from datetime import datetime, timedelta

FIRST_S = 0.5
LONGEST_S = 10.0


class Breaker:
    """Quiet spans double from `FIRST_S` to `LONGEST_S` until a signal goes through."""

    def __init__(self) -> None:
        self._failures = 0
        self.quiet_until: datetime | None = None

    def quiet(self, now: datetime) -> bool:
        return self.quiet_until is not None and now < self.quiet_until

    @property
    def doubtful(self) -> bool:
        """The last thing heard of Temporal was that it could not be reached."""
        return self._failures > 0

    def failed(self, now: datetime) -> None:
        """Failures inside a quiet span are of signals that were already on their way, and do not lengthen it."""
        if self.quiet(now):
            return
        span = min(FIRST_S * 2.0 ** min(self._failures, 10), LONGEST_S)
        self._failures += 1
        self.quiet_until = now + timedelta(seconds=span)

    def worked(self) -> None:
        self._failures, self.quiet_until = 0, None
