"""What a real system leaves to chance: what comes next, where a worker dies, when a database goes away."""

from dataclasses import dataclass
from random import Random


class DatabaseAway(ConnectionError):
    """Of the machine's choice."""


@dataclass
class Fate:
    """Nothing goes wrong, first come first served. `Chance` is the other kind."""

    def pick(self, count: int) -> int:
        return 0

    def crash(self) -> bool:
        """A worker dies now."""
        return False

    def grows(self) -> bool:
        """A workflow's history has become so long that it goes on as a new run at the next quiet moment."""
        return False

    def lasts(self) -> bool:
        """Our own step takes so long that the workflow hears what has come in meanwhile."""
        return False

    def fails(self, step: str) -> str:
        """Of one attempt of our own step: "" (it works), "before" (not done) or "after" (done, no answer)."""
        return ""

    def dies(self, step: str) -> str:
        """Of the worker of one attempt of an ordinary activity: as `fails`, noticed when its time has run out."""
        return ""


@dataclass
class Chance(Fate):
    """`trouble`: how often, from 0 to 1, a step meets each kind of it; `moves`: a task finds its history long."""

    random: Random
    trouble: float = 0.02
    moves: float = 0.0

    def pick(self, count: int) -> int:
        return self.random.randrange(count)

    def crash(self) -> bool:
        return self.random.random() < self.trouble

    def grows(self) -> bool:
        return self.moves > 0 and self.random.random() < self.moves

    def lasts(self) -> bool:
        return self.random.random() < 5 * self.trouble

    def fails(self, step: str) -> str:
        return self._kind()

    def dies(self, step: str) -> str:
        return self._kind()

    def _kind(self) -> str:
        return self.random.choice(("before", "after")) if self.random.random() < self.trouble else ""
