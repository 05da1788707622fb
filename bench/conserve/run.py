"""One run: an order, some thirty steps, the checks after each, and an end at which all must have come to rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from activities.evidence import EvidenceService
from bench.conserve.checks import Checks
from bench.conserve.ending import come_to_an_end
from bench.conserve.fate import Chance
from bench.conserve.house import EngineHouse
from bench.conserve.life import Life
from bench.conserve.rules import RULES
from store.pool import Pool

Step = tuple[str, int]
"""A rule's name, and the seed of its choices."""
NUMBERS = count(1)
MOST_STEPS = 40
TROUBLE = (0.0, 0.0, 0.01, 0.04)
MOVES = (0.0, 0.02, 0.2, 1.0)
"""How often a workflow finds its history long, and goes on as a new run when it can."""


@dataclass
class Run:
    """`steps`: given, or made of `seed` while the run goes on. `what`: went wrong at the last of them, or empty."""

    seed: int
    steps: list[Step] = field(default_factory=list)
    what: str = ""

    @property
    def failed(self) -> bool:
        return self.what != ""


class Player:
    """Runs in one database, any number at a time."""

    def __init__(self, pool: Pool, evidence: EvidenceService) -> None:
        self._pool = pool
        self._evidence = evidence
        self._checks = Checks(pool)

    async def play(self, seed: int, given: Sequence[Step] | None = None) -> Run:
        """`given`: these steps and no others."""
        run, random = Run(seed), Random(seed)
        trouble, moves = random.choice(TROUBLE), Random(f"moves {seed}").choice(MOVES)
        fate = Chance(Random(seed), 0.0)
        house = EngineHouse(self._pool, self._evidence, fate)
        try:
            life = await Life.begin(house, next(NUMBERS), Random(seed))
            fate.trouble, fate.moves = trouble, moves
            await self._steps(run, life, fate, random, given)
            fate.trouble = 0.0
            run.steps.append(END)
            await come_to_an_end(life)
            await self._checks.after_a_step(life)
            await self._checks.at_the_end(life)
        except Exception as error:
            run.what = f"{type(error).__name__}: {error}"
        finally:
            house.engine.close()
        return run

    async def _steps(self, run: Run, life: Life, fate: Chance, random: Random, given: Sequence[Step] | None) -> None:
        for name, seed in given if given is not None else _chosen(random):
            if name == END[0]:
                break
            chance = Random(seed)
            fate.random = chance
            run.steps.append((name, seed))
            if not await RULES[name][0](life, chance):
                run.steps.pop()
                continue
            await life.house.rest()
            await self._checks.after_a_step(life)


END: Step = ("the end", 0)


def _chosen(random: Random) -> Sequence[Step]:
    names = list(RULES)
    weights = [RULES[name][1] for name in names]
    most = random.randint(5, MOST_STEPS)
    # Many do not apply when their turn comes: they cost next to nothing.
    paid = ["buyer_pays"] if random.random() < 0.85 else []
    return [(name, random.randrange(2**32)) for name in paid + random.choices(names, weights, k=most * 2)]
