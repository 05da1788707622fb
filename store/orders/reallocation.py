"""Children made anew out of units of others: units, money and stock go over in one transaction, or nothing does."""

from collections.abc import Sequence

from domain.fulfilment.reallocation import Handover, Replan, money_of
from domain.records import ChildPlan
from domain.states import ChildStatus
from domain.units import UnitRange, holds, without
from store.errors import ChildNumberTaken, NoSuchOrder, NotEnoughStock, UnitsNotThere
from store.orders.children import INSERT_LINES, insert_without_units
from store.orders.lines import priced_of, read_rows
from store.orders.query_plans import replan_statements
from store.orders.unit_claims import insist_on_not_paid_back
from store.orders.writing import apply_write
from store.pool import Connection, Row
from store.stock.ledger import apply_moves, lock, reservation

LOCK = "SELECT order_no FROM orders WHERE order_no = $1 FOR NO KEY UPDATE"

# Of the numbers of new children those that are somebody's, and what made theirs.
EXIST = """
SELECT child_no, warehouse, replaces FROM child_orders WHERE child_no = ANY($1::text[]) ORDER BY child_no"""

ENDED = "SELECT replaced_by, replan FROM child_orders WHERE child_no = $1"

# The units of a child, by run.
RUNS = "SELECT line_id, first_unit, qty FROM child_lines WHERE child_no = $1 ORDER BY line_id, first_unit"

DELETE_LINES = "DELETE FROM child_lines WHERE child_no = $1"

# What a child held, kept the first time; its money follows its units.
HAND_OVER = """
UPDATE child_orders SET replaced_by = replaced_by || $2::text[], replan = $3,
    was = coalesce(was, jsonb_build_object('lines', $4::jsonb, 'net_minor', net_minor, 'freight_minor', freight_minor,
        'paid_minor', paid_minor)),
    net_minor = net_minor - $5, freight_minor = freight_minor - $6, paid_minor = paid_minor - $5 - $6
WHERE child_no = $1"""

# Where the new ones come from.
TAKE_OVER = "UPDATE child_orders SET replaces = $2, replan = $3 WHERE child_no = $1"


async def replan(connection: Connection, message: Replan) -> None:
    """Inside a transaction. The same again does nothing but its write. Raises `NotEnoughStock`, `UnitsNotThere`,
    `UnitsPaidBack`, `ChildNumberTaken`: replacements take numbers in the order's row that its workflow does not know.

    The write goes first: it sets free what the old children had reserved, which the new ones then reserve.
    """
    write = message.write
    if await connection.fetchrow(LOCK, write.order_no) is None:
        raise NoSuchOrder(write.order_no)
    if taken := await taken_numbers(connection, message.children):
        if not await _is_the_same(connection, message, taken):
            await _insist_on_units(connection, message.handovers)
            raise ChildNumberTaken(taken[0]["child_no"])
        await apply_write(connection, write)
        return
    await apply_write(connection, write, message.children)
    await carry_over(connection, message)


async def taken_numbers(connection: Connection, children: Sequence[ChildPlan]) -> list[Row]:
    """Of those of new children, lowest first."""
    found: list[Row] = await connection.fetch(EXIST, [child.child_no for child in children])
    return found


async def _is_the_same(connection: Connection, message: Replan, made: Sequence[Row]) -> bool:
    """Whether this very change has made them. A workflow task that is lost leaves in the books what it has done, and
    gives its numbers again when it is repeated: to the same changes, or to others."""
    known = {row["child_no"]: row for row in made}
    if any((row := known.get(c.child_no)) is None or row["warehouse"] != c.warehouse for c in message.children):
        return False
    if any(list(row["replaces"] or ()) != _before(message, number) for number, row in known.items()):
        return False
    for handover in message.handovers:
        old = await connection.fetchrow(ENDED, handover.child_no)
        to = list(handover.to)
        if old is None or list(old["replaced_by"] or ())[-len(to) :] != to or old["replan"] != _why(message):
            return False
    return True


async def _insist_on_units(connection: Connection, handovers: Sequence[Handover]) -> None:
    for handover in handovers:
        if not holds(await _runs_of(connection, handover.child_no), handover.runs):
            raise UnitsNotThere(handover.child_no)


async def carry_over(connection: Connection, message: Replan) -> None:
    """Units, money and stock, after the write is applied. Raises as `replan` does."""
    await _hand_over(connection, message)
    await _insert(connection, message)
    await _reserve(connection, message)
    for number in (child.child_no for child in message.children):
        await connection.execute(TAKE_OVER, number, _before(message, number), _why(message))


async def _hand_over(connection: Connection, message: Replan) -> None:
    priced = priced_of(await read_rows(connection, message.write.order_no))
    for handover in message.handovers:
        has = await _runs_of(connection, handover.child_no)
        left = without(has, handover.runs)
        if not holds(has, handover.runs) or (handover.all_of_it and left):
            raise UnitsNotThere(handover.child_no)
        lines: dict[str, int] = {}
        for run in has:
            lines[run.line_id] = lines.get(run.line_id, 0) + run.units
        net, freight = money_of(priced, handover.runs)
        await connection.execute(DELETE_LINES, handover.child_no)
        await _insert_runs(connection, message.write.order_no, [(handover.child_no, run) for run in left])
        why = _why(message)
        await connection.execute(HAND_OVER, handover.child_no, list(handover.to), why, lines, net, freight)


async def _runs_of(connection: Connection, child_no: str) -> list[UnitRange]:
    rows = await connection.fetch(RUNS, child_no)
    return [UnitRange(line_id=r["line_id"], first_unit=r["first_unit"], units=r["qty"]) for r in rows]


async def _insert(connection: Connection, message: Replan) -> None:
    write, plans = message.write, message.children
    for plan in plans:
        await insist_on_not_paid_back(connection, write.order_no, plan.child_no, plan.runs)
    await insert_without_units(connection, write, plans)
    await _insert_runs(connection, write.order_no, [(p.child_no, run) for p in plans for run in p.runs])


async def _insert_runs(connection: Connection, order_no: str, runs: Sequence[tuple[str, UnitRange]]) -> None:
    await replan_statements(connection, len(runs))
    await connection.execute(
        INSERT_LINES,
        order_no,
        [child for child, _ in runs],
        [run.line_id for _, run in runs],
        [run.first_unit for _, run in runs],
        [run.units for _, run in runs],
    )


async def _reserve(connection: Connection, message: Replan) -> None:
    skus = {line.line_id: line.sku for line in priced_of(await read_rows(connection, message.write.order_no)).lines}
    moves = [
        reservation(plan.child_no, line_id, skus[line_id], plan.warehouse, qty)
        for plan in message.children
        if plan.status is not ChildStatus.BACKORDER
        for line_id, qty in plan.lines.items()
    ]
    left = await lock(connection, ((m.sku, m.warehouse) for m in moves))
    for m in moves:
        left[m.sku, m.warehouse] = left.get((m.sku, m.warehouse), 0) - m.qty
    lacking = sorted(f"{sku} in {warehouse}" for (sku, warehouse), n in left.items() if n < 0)
    if lacking:
        raise NotEnoughStock(message.write.order_no, lacking)
    await apply_moves(connection, moves, message.write.at)


def _before(message: Replan, number: str) -> list[str]:
    """The children in whose place a new one ships."""
    return [handover.child_no for handover in message.handovers if number in handover.to]


def _why(message: Replan) -> dict[str, str | None]:
    return {"because": message.because, "remark": message.remark, "approval_id": message.approval_id}
