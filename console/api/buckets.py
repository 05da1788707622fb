"""How much one token may ask, counted before the books are asked anything."""

from collections import OrderedDict
from dataclasses import dataclass

MOST = 10_000
"""Tokens, and addresses, remembered; of the others a new bucket is made, full."""
STRANGERS_A_SECOND = 20.0
"""Looks into the books for texts that have not been known to be tokens, of one address: made-up ones cost nobody else
anything, also while this process knows nobody's token yet."""
ALL_STRANGERS_A_SECOND = 400.0
"""Of all addresses together."""


@dataclass
class TokenBucket:
    """Holds what may be asked at once, `burst`; fills again by `a_second`."""

    a_second: float
    burst: float
    left: float
    seen_s: float

    def take(self, now_s: float) -> float:
        """0: taken. Else seconds until there is one again."""
        self.left = min(self.burst, self.left + max(0.0, now_s - self.seen_s) * self.a_second)
        self.seen_s = now_s
        if self.left < 1:
            return (1 - self.left) / self.a_second
        self.left -= 1
        return 0.0


def _full(a_second: float, now_s: float) -> TokenBucket:
    return TokenBucket(a_second, a_second, a_second, now_s)


class Buckets:
    """By hash of the whole text: who knows a token's number alone empties nothing of it."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, TokenBucket] = OrderedDict()
        self._strangers: OrderedDict[str, TokenBucket] = OrderedDict()
        self._all_strangers = _full(ALL_STRANGERS_A_SECOND, 0.0)

    def knows(self, text_hash: bytes) -> bool:
        return text_hash in self._known

    def take(self, text_hash: bytes, caller: str, now_s: float) -> float:
        """`caller`: the address that it comes from. As a bucket's `take`."""
        bucket = self._known.get(text_hash)
        if bucket is None:
            return self._of_stranger(caller, now_s) or self._all_strangers.take(now_s)
        self._known.move_to_end(text_hash)
        return bucket.take(now_s)

    def _of_stranger(self, caller: str, now_s: float) -> float:
        bucket = self._strangers.setdefault(caller, _full(STRANGERS_A_SECOND, now_s))
        self._strangers.move_to_end(caller)
        while len(self._strangers) > MOST:
            self._strangers.popitem(last=False)
        return bucket.take(now_s)

    def know(self, text_hash: bytes, per_minute: int, now_s: float) -> None:
        """A text that is a token: from now on it has a bucket of its own, of ten seconds' worth."""
        bucket = self._known.get(text_hash)
        a_second, burst = per_minute / 60, max(1.0, per_minute / 6)
        if bucket is None:
            self._known[text_hash] = TokenBucket(a_second, burst, burst, now_s)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        else:
            bucket.a_second, bucket.burst = a_second, burst
