"""When which message is sent: at an even rate, each life spread over the whole run, some doubled, some shuffled."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from random import Random

from bench.callbacks.signed import Message

FAR = 200
"""Places by which a shuffled message may be moved at most."""


@dataclass(frozen=True)
class Arrivals:
    """`messages` at `per_second`, in this order, whatever the receiver does (open loop)."""

    messages: tuple[Message, ...]
    doubled: int
    shuffled: int


def arrivals(lives: Sequence[Sequence[Message]], seed: int, *, doubled: float = 0.0, shuffled: float = 0.0) -> Arrivals:
    """The lives side by side, step by step. `doubled`, `shuffled`: shares of the messages, drawn from `seed`."""
    random = Random(seed)
    together = [m for m in chain.from_iterable(zip_longest(*lives)) if m is not None]
    places: list[tuple[float, int, Message]] = []
    twice = moved = 0
    for n, message in enumerate(together):
        place = float(n)
        if random.random() < shuffled:
            place += random.uniform(-FAR, FAR)
            moved += 1
        places.append((place, n, message))
        if random.random() < doubled:
            places.append((place + random.uniform(0, FAR), n, message))
            twice += 1
    return Arrivals(tuple(message for *_, message in sorted(places, key=lambda p: p[:2])), twice, moved)
