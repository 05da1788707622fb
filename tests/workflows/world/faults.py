"""What goes wrong, said in advance: which step fails, for which item, how often and how."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

from temporalio import activity

from providers.errors import ProviderError, Refused, Unavailable, UnknownOutcome

How = Literal["retry", "unknown", "refused"]
ERRORS: dict[How, type[ProviderError]] = {"retry": Unavailable, "unknown": UnknownOutcome, "refused": Refused}
ALWAYS = 10_000


class Faults:
    """Counts every attempt of every step, and makes the next ones fail as armed."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.started: defaultdict[str, list[datetime]] = defaultdict(list)
        """When each attempt of a step was due, on the order's own clock."""
        self._armed: dict[tuple[str, str], list[How]] = {}

    def fail(self, step: str, times: int = ALWAYS, how: How = "retry", *, item: str = "") -> None:
        """The next `times` attempts of `step` fail (only those for `item`, where one is named)."""
        self._armed[step, item] = [how] * times

    def sequence(self, step: str, hows: Sequence[How], *, item: str = "") -> None:
        """The next attempts of `step` fail each in its own way."""
        self._armed[step, item] = list(reversed(hows))

    def heal(self) -> None:
        self._armed.clear()

    def attempt(self, step: str) -> None:
        """One attempt begins; raises what is armed for the step as a whole."""
        self.calls[step] += 1
        self.started[step].append(activity.info().current_attempt_scheduled_time)
        self.item(step, "")

    def item(self, step: str, item: str) -> None:
        if how := self._armed.get((step, item)):
            raise ERRORS[how.pop()]("fake", "ARMED", f"{step} {item} does not answer".replace("  ", " "))

    def gaps(self, step: str) -> list[int]:
        """Whole seconds between the attempts of a step."""
        times = self.started[step]
        return [round((b - a).total_seconds()) for a, b in pairwise(times)]
