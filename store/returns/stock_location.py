"""Where the goods of a case are counted: a workflow names lines and units, the books know what left, and from where.

A line may have left from several warehouses, and an exchanged unit is another article (`store/returns/origins.py`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from domain.records import StockMove
from domain.returns.models import Admitted
from domain.strict import of
from domain.units import UnitRange, joined
from store.pool import Connection
from store.returns.origins import origins

GOODS = ("freeze", "unfreeze", "grade_good", "grade_minor", "grade_scrap")

ADMITTED = "SELECT admitted FROM return_cases WHERE return_no = $1"

# What has become of the goods of a case so far.
MOVED = """
SELECT ref, kind, sku, warehouse, qty FROM stock_moves
WHERE starts_with(ref, $1 || '/') AND kind IN ('freeze', 'unfreeze', 'grade_good', 'grade_minor', 'grade_scrap')"""

Place = tuple[str, str]
"""SKU and warehouse."""


async def what_left(connection: Connection, return_no: str) -> tuple[UnitRange, ...]:
    """Of the units of a case, those that have left the warehouse by the books. Only they can lie at a return desk."""
    admitted = of(Admitted, await connection.fetchval(ADMITTED, return_no))
    known = await origins(connection, admitted.order_no, admitted.units, but_of=return_no)
    return joined(UnitRange(line_id=o.line_id, first_unit=o.first_unit, units=o.units) for o in known)


async def placed(connection: Connection, return_no: str, moves: Sequence[StockMove]) -> list[StockMove]:
    """The moves, those of returned goods at the places where the units are counted. Repeated, they are the same."""
    if not any(move.kind in GOODS for move in moves):
        return list(moves)
    admitted = of(Admitted, await connection.fetchval(ADMITTED, return_no))
    known = await origins(connection, admitted.order_no, admitted.units, but_of=return_no)
    books = _Places(
        return_no, {(o.line_id, n): (o.sku, o.warehouse) for o in known for n in range(o.first_unit, o.end)}
    )
    for row in await connection.fetch(MOVED, return_no):
        books.count(StockMove(**row))
    return [found for move in moves for found in books.at_place(move)]


class _Places:
    def __init__(self, return_no: str, units: dict[tuple[str, int], Place]) -> None:
        self._return_no = return_no
        self._units = units
        self._frozen: Counter[tuple[str, Place]] = Counter()
        self._done: dict[tuple[str, str], list[StockMove]] = {}

    def count(self, move: StockMove) -> None:
        line, place = self._line(move), (move.sku, move.warehouse)
        self._frozen[line, place] += move.qty if move.kind == "freeze" else -move.qty
        self._done.setdefault((move.ref, move.kind), []).append(move)

    def at_place(self, move: StockMove) -> Iterable[StockMove]:
        if move.kind not in GOODS:
            return [move]
        if (move.ref, move.kind) in self._done:
            return self._done[move.ref, move.kind]
        found = [self._moved(move, place, qty) for place, qty in self._where(move).items()]
        for part in found:
            self.count(part)
        return found

    def _where(self, move: StockMove) -> Counter[Place]:
        line, given = self._line(move), (move.sku, move.warehouse)
        if move.kind == "freeze":
            mine = [place for (line_id, _), place in sorted(self._units.items()) if line_id == line]
        elif move.kind == "unfreeze":
            mine = [place for (line_id, place), n in self._frozen.items() if line_id == line for _ in range(n)]
        else:
            mine = [self._units.get((line, self._unit(move)), given)]
        found = Counter(mine[: move.qty])
        # Units of which the books know nothing are counted where the workflow says.
        if rest := move.qty - sum(found.values()):
            found[given] += rest
        return found

    def _line(self, move: StockMove) -> str:
        """`{return_no}/{line_id}`, and for one unit `/{unit}` behind it. A line id may hold slashes itself."""
        line = move.ref.removeprefix(f"{self._return_no}/")
        return line if move.kind in ("freeze", "unfreeze") else line.rpartition("/")[0]

    def _unit(self, move: StockMove) -> int:
        return int(move.ref.rpartition("/")[2])

    def _moved(self, move: StockMove, place: Place, qty: int) -> StockMove:
        return move.model_copy(update={"sku": place[0], "warehouse": place[1], "qty": qty})
