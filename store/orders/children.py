"""Child orders: planned once at payment, then moved by the order's writes."""

from collections.abc import Sequence
from typing import Any

from domain.records import ChildPlan, ChildState, OrderWrite, SplitReason
from domain.states import ChildStatus
from store.pool import Connection, Row, to_json

# The children of a split, all at once.
INSERT = """
INSERT INTO child_orders (child_no, order_no, nn, status, seq, warehouse, reasons, net_minor, freight_minor, paid_minor,
    planned_carrier, shipping_cost_minor, customs_mode, updated_at)
SELECT u.child_no, $1, u.nn, u.status, $2, u.warehouse, u.reasons::jsonb, u.net, u.freight, u.paid, u.carrier, u.cost,
    u.customs, $3
FROM unnest($4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[],
    $12::text[], $13::bigint[], $14::text[])
    AS u (child_no, nn, status, warehouse, reasons, net, freight, paid, carrier, cost, customs)"""

# Which units each child carries.
INSERT_LINES = """
INSERT INTO child_lines (order_no, child_no, line_id, first_unit, qty)
SELECT $1, u.* FROM unnest($2::text[], $3::text[], $4::int[], $5::int[]) AS u"""

# The plan as it was stored, lines in the order of the order.
READ = """
SELECT c.child_no, c.reasons, c.warehouse, c.net_minor, c.freight_minor, c.paid_minor, c.status,
    c.planned_carrier, c.shipping_cost_minor, c.customs_mode,
    array_agg(l.line_id ORDER BY i.pos) AS line_ids, array_agg(l.qty ORDER BY i.pos) AS qtys
FROM child_orders c
JOIN (SELECT order_no, child_no, line_id, sum(qty)::integer AS qty FROM child_lines WHERE order_no = $1
    GROUP BY 1, 2, 3) l USING (child_no)
JOIN order_lines i ON i.order_no = l.order_no AND i.line_id = l.line_id
WHERE c.order_no = $1 GROUP BY c.child_no ORDER BY c.nn"""

# The states of an order's children, by seven columns, in a write of the order ($1), its seq ($2) and time ($3), `when`
# something else holds. What an earlier write knew and this one leaves out stays; late writes lose. `before`: the rows
# as they were, where a statement that waits for the order's row would not see what has been written meanwhile.
UPDATE = """
UPDATE child_orders c SET status = u.status, seq = $2, updated_at = $3,
    waybill_no = coalesce(u.waybill_no, c.waybill_no), carrier = coalesce(u.carrier, c.carrier),
    tms_ref = coalesce(u.tms_ref, c.tms_ref), shipped_at = coalesce(u.shipped_at, c.shipped_at),
    signed_at = coalesce(u.signed_at, c.signed_at)
FROM unnest(${0}::text[], ${1}::text[], ${2}::text[], ${3}::text[], ${4}::text[], ${5}::timestamptz[],
    ${6}::timestamptz[]) AS u (child_no, status, waybill_no, carrier, tms_ref, shipped_at, signed_at)
JOIN {before} b ON b.child_no = u.child_no
WHERE c.order_no = $1 AND c.child_no = u.child_no AND (c.updated_at, c.seq) < ($3, $2){when}
RETURNING c.child_no, b.status AS was, b.waybill_no AS had_waybill, b.carrier AS had_carrier, c.status, c.warehouse,
    c.carrier, c.waybill_no, c.shipped_at, c.signed_at"""


async def insert_children(connection: Connection, write: OrderWrite, plans: Sequence[ChildPlan]) -> None:
    """Children and their units. Children take the units of a line one after another, from the first one on."""
    await insert_without_units(connection, write, plans)
    taken: dict[str, int] = {}
    lines: list[tuple[str, str, int, int]] = []
    for plan in plans:
        for line_id, qty in plan.lines.items():
            first = taken.get(line_id, 0)
            lines.append((plan.child_no, line_id, first, qty))
            taken[line_id] = first + qty
    await connection.execute(INSERT_LINES, write.order_no, *(list(column) for column in zip(*lines, strict=True)))


async def insert_without_units(connection: Connection, write: OrderWrite, plans: Sequence[ChildPlan]) -> None:
    """Their own rows; `nn` is what stands behind the order's number."""
    await connection.execute(
        INSERT,
        write.order_no,
        write.seq,
        write.at,
        [p.child_no for p in plans],
        [int(p.child_no.rpartition("-")[2]) for p in plans],
        [p.status for p in plans],
        [p.warehouse for p in plans],
        [to_json([reason.model_dump() for reason in p.reasons]) for p in plans],
        [p.net_minor for p in plans],
        [p.freight_minor for p in plans],
        [p.paid_minor for p in plans],
        [p.carrier for p in plans],
        [p.shipping_cost_minor for p in plans],
        [p.customs for p in plans],
    )


async def read_children(connection: Connection, order_no: str) -> tuple[ChildPlan, ...]:
    return tuple(
        ChildPlan(
            child_no=row["child_no"],
            reasons=tuple(SplitReason(**reason) for reason in row["reasons"]),
            lines=dict(zip(row["line_ids"], row["qtys"], strict=True)),
            warehouse=row["warehouse"],
            net_minor=row["net_minor"],
            freight_minor=row["freight_minor"],
            paid_minor=row["paid_minor"],
            status=ChildStatus(row["status"]),
            carrier=row["planned_carrier"],
            shipping_cost_minor=row["shipping_cost_minor"],
            customs=row["customs_mode"],
        )
        for row in await connection.fetch(READ, order_no)
    )


def columns(states: Sequence[ChildState]) -> tuple[list[Any], ...]:
    """For `UPDATE`."""
    return (
        [s.child_no for s in states], [s.status for s in states], [s.waybill_no for s in states],
        [s.carrier for s in states], [s.tms_ref for s in states], [s.shipped_at for s in states],
        [s.signed_at for s in states],
    )  # fmt: skip


def with_new_packages(states: Sequence[ChildState], moved: Sequence[Row]) -> list[ChildState]:
    """Those that tell of a waybill or label that their row did not have: the others' packages are kept already."""
    had = {row["child_no"]: (row["had_waybill"], row["had_carrier"]) for row in moved}
    return [
        s for s in states
        if s.label_b64 or s.packages or (s.waybill_no and had.get(s.child_no) != (s.waybill_no, s.carrier))
    ]  # fmt: skip
