"""How well chances foretell what came back: of orders that nothing was learnt from (R59)."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from math import sqrt
from typing import Annotated, Literal

from pydantic import Field

from domain.insight.risk_model import Weight
from domain.strict import Strict

LEAST_LABELLED = 500
"""Orders whose end is known. With fewer there is nothing to learn: points stay."""
LEAST_OF_EACH = 10
"""In the held-out month, that came back and that did not: else it tells nothing."""
SURELY = 3
"""So many standard errors above chance the area under the curve must be: shuffled labels are 3 once in 700 times."""
STEADY = 20
"""So many orders of the usual share stand behind each score of the table, so that three orders are no certainty."""
Outcome = Literal["in_force", "not_better", "too_few", "no_extra"]


class Decile(Strict):
    """A tenth of the orders, the least likely first. `expected`, `came_back`: shares of `counted`."""

    counted: int
    expected: float
    came_back: float


class Judged(Strict):
    """`auc`: how often one that came back was held more likely than one that did not; `brier`: mean squared error;
    `lift`: so many times the usual share of the top tenth came back."""

    auc: float
    brier: float
    lift: float
    deciles: tuple[Decile, ...]


class Training(Strict):
    """What a training found. `learnt_from`, `held_out`: orders before the month, and in it; `returned`: of the latter;
    `left_out`: paid orders whose end says nothing, by reason. `model`, `points`: both of the held-out month. `new`:
    it was trained now; else the one in force was judged again, since nothing here can train one."""

    month: str
    outcome: Outcome
    learnt_from: int
    held_out: int
    returned: int
    left_out: dict[str, int] = Field(default_factory=dict)
    new: bool = True
    model: Judged | None = None
    points: Judged | None = None
    drivers: tuple[Weight, ...] = ()
    why: Annotated[tuple[str, ...], Field(max_length=5)] = ()


def judged(chances: Sequence[float], came_back: Sequence[bool]) -> Judged:
    """Of orders of which some came back and some did not."""
    pairs = sorted(zip(chances, came_back, strict=True))
    usual = sum(came_back) / len(pairs)
    deciles = [_decile(pairs[len(pairs) * n // 10 : len(pairs) * (n + 1) // 10]) for n in range(10)]
    return Judged(
        auc=round(auc(chances, came_back), 6),
        brier=round(sum((chance - back) ** 2 for chance, back in pairs) / len(pairs), 6),
        lift=round(deciles[-1].came_back / usual, 4),
        deciles=tuple(deciles),
    )


def auc(chances: Sequence[float], came_back: Sequence[bool]) -> float:
    """Area under the curve; ties count half."""
    below, won, back = 0, 0.0, sum(came_back)
    for _, tied in groupby(sorted(zip(chances, came_back, strict=True)), key=lambda pair: pair[0]):
        marks = [mark for _, mark in tied]
        of_them = sum(marks)
        won += of_them * (below + (len(marks) - of_them) / 2)
        below += len(marks) - of_them
    return won / (back * (len(came_back) - back))


def not_better(model: Judged, points: Judged, held_out: int, returned: int) -> tuple[str, ...]:
    """Why the model does not beat the table of points; empty: it does."""
    above_chance = (model.auc - 0.5) / _standard_error(model.auc, returned, held_out - returned)
    found = {"no_better_than_chance": above_chance <= SURELY, "auc": model.auc <= points.auc,
             "brier": model.brier >= points.brier}  # fmt: skip
    return tuple(why for why, so in found.items() if so)


def chances_of_points(scores: Sequence[int], came_back: Sequence[bool]) -> Callable[[int], float]:
    """What a score of the table has meant so far: so that its errors compare with those of chances."""
    usual = sum(came_back) / len(came_back)
    found: dict[int, tuple[int, int]] = {}
    for points, back in zip(scores, came_back, strict=True):
        count, returned = found.get(points, (0, 0))
        found[points] = (count + 1, returned + back)
    shares: Mapping[int, float] = {p: (r + STEADY * usual) / (n + STEADY) for p, (n, r) in found.items()}
    return lambda points: shares.get(points, usual)


def threshold_for(percents: Sequence[int], looked_at: int) -> int:
    """The lowest percent from which on at most so many are looked at, and one in a hundred at least: whoever looks has
    as much to do as with points, on orders that are picked better."""
    budget = max(looked_at, len(percents) // 100, 1)
    ranked = sorted(percents, reverse=True)
    if len(ranked) <= budget:
        return max(ranked[-1], 1)
    return min(max(ranked[budget] + 1, 1), 100)


def _decile(pairs: Sequence[tuple[float, bool]]) -> Decile:
    count = max(len(pairs), 1)
    return Decile(
        counted=len(pairs),
        expected=round(sum(chance for chance, _ in pairs) / count, 6),
        came_back=round(sum(back for _, back in pairs) / count, 6),
    )


def _standard_error(area: float, returned: int, kept: int) -> float:
    """Of an area under the curve (Hanley and McNeil, 1982); never 0."""
    same, other = area / (2 - area), 2 * area * area / (1 + area)
    spread = area * (1 - area) + (returned - 1) * (same - area * area) + (kept - 1) * (other - area * area)
    return sqrt(max(spread, 1e-9) / (returned * kept))
