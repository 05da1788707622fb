"""How often each may do something: so much at once, then so much a second. Bounded, however many there are."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

MOST = 10_000
"""Buckets that are kept; who was seen longest ago is forgotten first, and begins with a full one."""


@dataclass(frozen=True)
class Pace:
    """`burst`: tokens of a full bucket; `per_s`: how fast it fills."""

    burst: float
    per_s: float


class TokenBuckets:
    def __init__(self, pace: Pace, most: int = MOST) -> None:
        self._pace = pace
        self._most = most
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        """Tokens, and when they were counted."""

    def take(self, key: Hashable, now_s: float) -> bool:
        """One token of the key's bucket. False: it is empty. `now_s`: of a clock that never goes back."""
        tokens, since = self._left.pop(key, (self._pace.burst, now_s))
        tokens = min(self._pace.burst, tokens + (now_s - since) * self._pace.per_s)
        taken = tokens >= 1
        self._left[key] = (tokens - 1 if taken else tokens, now_s)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return taken

    def __len__(self) -> int:
        return len(self._left)
