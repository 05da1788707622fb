"""When which message is sent: at an even rate, lives in step or in every stage, some doubled, some shuffled."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from random import Random

from bench.load.callbacks.messages import Message

FAR = 200
"""Places by which a shuffled message may be moved at most."""


@dataclass(frozen=True)
class Arrivals:
    """`messages` at `per_second`, in this order, whatever the receiver does (open loop)."""

    messages: tuple[Message, ...]
    doubled: int
    shuffled: int


@dataclass(frozen=True)
class Stages:
    """`measured`: what comes while orders stand in every stage of their lives; `before` brings them there, `after` to
    their ends."""

    before: tuple[Message, ...]
    measured: tuple[Message, ...]
    after: tuple[Message, ...]


def in_every_stage(lives: Sequence[Sequence[Message]], abreast: int) -> Stages:
    """One life begins after the other, each as soon as the one `abreast` before it has ended: a shop's ordinary day.

    All lives have the same number of messages. The measured part holds as many messages as `len(lives) - abreast`
    lives have, and in every stretch of it about one life's messages for each life that begins.
    """
    placed = [
        (began + step * abreast / len(one), began, message)
        for began, one in enumerate(lives)
        for step, message in enumerate(one)
    ]
    placed.sort(key=lambda p: p[:2])
    parts = [
        tuple(m for at, _, m in placed if first <= at < last)
        for first, last in ((0, abreast), (abreast, len(lives)), (len(lives), float("inf")))
    ]
    return Stages(*parts)


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
