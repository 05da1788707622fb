"""Many runs side by side in one process: while one waits for the database, another one computes."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.conserve.run import Player, Run

Tell = Callable[[str], None]


@dataclass
class Tally:
    """`steps`: by rule."""

    runs: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    failed: list[Run] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def rate(self) -> float:
        """Runs a second since it began."""
        return self.runs / max(time.monotonic() - self.began, 0.001)

    def count(self, run: Run) -> None:
        self.runs += 1
        self.steps.update(name for name, _ in run.steps)
        if run.failed:
            self.failed.append(run)

    def add(self, other: "Tally") -> None:
        self.runs += other.runs
        self.steps.update(other.steps)
        self.failed += other.failed


async def many(player: Player, seeds: Sequence[int], *, beside: int) -> Tally:
    """`beside`: at the same time."""
    tally, left = Tally(), iter(seeds)

    async def go_on() -> None:
        for seed in left:
            tally.count(await player.play(seed))

    await asyncio.gather(*(go_on() for _ in range(beside)))
    return tally


def kind_of(run: Run) -> str:
    """What makes two failures the same, in a line."""
    return " ".join(run.what.split())[:230]
