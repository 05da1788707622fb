"""Every allocation of a small order, tried in order; branches that cannot win any more are not entered."""

from collections.abc import Iterator

from domain.fulfilment.sourcing.parcels import ParcelLoads, Score, score
from domain.fulfilment.sourcing.problem import DemandLine, Pieces, Problem

MOST_LINES = 40
"""Above this the search is not begun."""
MOST_STEPS = 20_000
"""Lines placed before the search gives up: some tenths of a second. Counted, not timed, so that it is deterministic."""
MOST_WAYS = 200
"""Ways to divide one line over its warehouses; above this only those that empty one warehouse after another."""

Answer = dict[str, Pieces]


class Search:
    """Depth first, lines in their order; the ways of a line from its most preferred warehouse on. Of equal allocations
    the first one stays."""

    def __init__(self, problem: Problem, first: Answer, most_steps: int) -> None:
        self._problem = problem
        self._most_steps = most_steps
        self._left = dict(problem.stock)
        self._parcels = ParcelLoads(problem)
        self._chosen: Answer = {}
        self._gets = [problem.gets(item) for item in problem.items]
        self._keys_from = self._keys()
        self._steps = 0
        self.best: Answer = first
        self.best_score: Score = score(problem, first)
        self._found = False
        self.complete = True

    def run(self) -> None:
        self._place(0)

    def _place(self, n: int) -> None:
        items = self._problem.items
        if n == len(items):
            self.best, self.best_score, self._found = dict(self._chosen), self._parcels.score, True
            return
        for pieces in self._ways(items[n], self._gets[n]):
            if self._steps >= self._most_steps:
                self.complete = False
                return
            self._steps += 1
            self._put(items[n], pieces)
            if self._may_win(n + 1):
                self._place(n + 1)
            self._take_back(items[n], pieces)

    def _may_win(self, n: int) -> bool:
        """A line's key that has no parcel yet will need one at least."""
        more = sum(1 for key in self._keys_from[n] if key not in self._parcels.keys)
        least = (self._parcels.count + more, self._parcels.cost_minor, self._parcels.rank)
        return least < self.best_score or (least == self.best_score and not self._found)

    def _put(self, item: DemandLine, pieces: Pieces) -> None:
        for warehouse, units in pieces:
            self._left[item.sku, warehouse] -= units
        self._parcels.add(item, pieces)
        self._chosen[item.line_id] = pieces

    def _take_back(self, item: DemandLine, pieces: Pieces) -> None:
        self._parcels.take_off(item, pieces)
        for warehouse, units in pieces:
            self._left[item.sku, warehouse] += units

    def _ways(self, item: DemandLine, units: int) -> Iterator[Pieces]:
        if item.line_id not in self._problem.divisible:
            yield from (((w, units),) for w in item.warehouses if self._left.get((item.sku, w), 0) >= units)
            return
        there = [(w, max(0, self._left.get((item.sku, w), 0))) for w in item.warehouses]
        found = list(_divisions(there, units, MOST_WAYS + 1))
        if len(found) > MOST_WAYS:
            self.complete = False
            found = list(dict.fromkeys(_one_after_another(there, units)))
        yield from found

    def _keys(self) -> list[frozenset[str]]:
        answer: list[frozenset[str]] = [frozenset()]
        for item, units in zip(reversed(self._problem.items), reversed(self._gets), strict=True):
            answer.append(answer[-1] | {item.key} if units else answer[-1])
        return answer[::-1]


def search(problem: Problem, first: Answer, most_steps: int = MOST_STEPS) -> tuple[Answer, Score, bool]:
    """The best allocation found, its score, and whether none is better. `first`: one to start from."""
    if len(problem.items) > MOST_LINES:
        return first, score(problem, first), False
    run = Search(problem, first, most_steps)
    run.run()
    return run.best, run.best_score, run.complete


def _divisions(there: list[tuple[str, int]], units: int, limit: int) -> Iterator[Pieces]:
    """Ways to take `units` from places that hold so many, the first places first; at most `limit` of them."""
    if not there:
        if units == 0:
            yield ()
        return
    (warehouse, held), rest = there[0], there[1:]
    later = sum(count for _, count in rest)
    for here in range(min(held, units), max(0, units - later) - 1, -1):
        for more in _divisions(rest, units - here, limit):
            yield ((warehouse, here), *more) if here else more
            limit -= 1
            if limit <= 0:
                return


def _one_after_another(there: list[tuple[str, int]], units: int) -> Iterator[Pieces]:
    """Each warehouse once as the first to be emptied, the others by preference."""
    order: dict[str, int] = {w: n for n, (w, _) in enumerate(there)}
    for start in range(len(there)):
        missing, taken = units, list[tuple[str, int]]()
        for warehouse, held in (there[start], *there[:start], *there[start + 1 :]):
            if (here := min(held, missing)) > 0:
                taken.append((warehouse, here))
                missing -= here
        if missing == 0:
            yield tuple(sorted(taken, key=lambda piece: order[piece[0]]))
