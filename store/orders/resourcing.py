"""Units that one child cannot ship, sourced again from elsewhere as new children: one transaction with the write."""

from domain.fulfilment.reallocation import Elsewhere, Handover, Replan, Resource
from domain.fulfilment.resourcing import Missing, Replacement, resource
from domain.records import ChildPlan
from domain.units import UnitRange, holds
from store.errors import ChildNumberTaken, NoSuchOrder
from store.orders.lines import catalogue_of, priced_of, read_rows
from store.orders.plans import plan_inputs
from store.orders.reallocation import LOCK, carry_over, taken_numbers
from store.orders.writing import apply_write
from store.pool import Connection

# What an earlier try of the same has made.
MADE = """
SELECT c.child_no, c.warehouse, c.reasons, c.net_minor, c.freight_minor, c.paid_minor, c.status, c.planned_carrier,
    c.shipping_cost_minor
FROM child_orders c WHERE c.order_no = $1 AND c.nn >= $2 AND c.replaces = ARRAY[$3::text]
    AND c.replan->>'because' = 'resourced' AND c.replan->>'remark' = $4 ORDER BY c.nn"""

RUNS = "SELECT line_id, first_unit, qty FROM child_lines WHERE child_no = $1 ORDER BY line_id, first_unit"


async def resource_units(connection: Connection, message: Resource) -> Elsewhere:
    """Inside a transaction. Nothing but the write is done when nobody else has any of the units.

    The same again gets the same answer. Raises `ChildNumberTaken` as `replan` does, `UnitsNotThere`, `UnitsPaidBack`.
    """
    order_no = message.write.order_no
    if await connection.fetchrow(LOCK, order_no) is None:
        raise NoSuchOrder(order_no)
    children = await _made(connection, message)
    if children and _are_of(message, children):
        await apply_write(connection, message.write)
        return _answer(message, children)
    rows = await read_rows(connection, order_no)
    inputs = await plan_inputs(connection, order_no, priced_of(rows), catalogue_of(rows), message.policy)
    one_run = {run.line_id: run for run in reversed(message.runs)}
    missing = [Missing(line_id=r.line_id, first_unit=r.first_unit, qty=r.units) for r in one_run.values()]
    failed = {(place.sku, place.warehouse) for place in message.failed}
    children = tuple(map(_planned, resource(inputs, missing, message.next_number, failed).children))
    if others := await taken_numbers(connection, children):
        raise ChildNumberTaken(others[0]["child_no"])
    await apply_write(connection, message.write, children)
    if children:
        numbers = tuple(child.child_no for child in children)
        taken = tuple(run for child in children for run in child.runs)
        await carry_over(
            connection,
            Replan(
                write=message.write,
                handovers=(Handover(child_no=message.child_no, runs=taken, all_of_it=False, to=numbers),),
                children=children,
                because="resourced",
                remark=message.remark,
            ),
        )
    return _answer(message, children)


def _are_of(message: Resource, children: tuple[ChildPlan, ...]) -> bool:
    """Made of the very units. A task that was lost may have looked for others of the same child."""
    return all(child.runs and holds(message.runs, child.runs) for child in children)


def _planned(found: Replacement) -> ChildPlan:
    runs = tuple(
        UnitRange(line_id=line_id, first_unit=found.first_units[line_id], units=qty)
        for line_id, qty in found.plan.lines.items()
    )
    return found.plan.model_copy(update={"runs": runs})


def _answer(message: Resource, children: tuple[ChildPlan, ...]) -> Elsewhere:
    nowhere: dict[str, int] = {}
    for run in message.runs:
        nowhere[run.line_id] = nowhere.get(run.line_id, 0) + run.units
    for child in children:
        for line_id, qty in child.lines.items():
            nowhere[line_id] -= qty
    return Elsewhere(children=children, nowhere={line_id: n for line_id, n in nowhere.items() if n})


async def _made(connection: Connection, message: Resource) -> tuple[ChildPlan, ...]:
    made = []
    order_no, first = message.write.order_no, message.next_number
    for row in await connection.fetch(MADE, order_no, first, message.child_no, message.remark):
        runs = tuple(
            UnitRange(line_id=r["line_id"], first_unit=r["first_unit"], units=r["qty"])
            for r in await connection.fetch(RUNS, row["child_no"])
        )
        lines: dict[str, int] = {}
        for run in runs:
            lines[run.line_id] = lines.get(run.line_id, 0) + run.units
        values = {name: value for name, value in dict(row).items() if name not in ("planned_carrier", "reasons")}
        made.append(
            ChildPlan.model_validate(
                {**values, "reasons": tuple(row["reasons"]), "carrier": row["planned_carrier"], "lines": lines,
                 "runs": runs},
                strict=False,
            )
        )  # fmt: skip
    return tuple(made)
