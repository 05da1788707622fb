"""Rule sets and questions to test with."""

import copy
from typing import Any

from domain.rules.decision import LineFacts, OrderFacts, RuleQuestion
from domain.rules.sets import Document, RuleSet, TableName
from domain.rules.tables import DIMENSIONS, SHAPES, Column, RuleRow, RuleTable
from domain.rules.writing import document_of
from store.rules.defaults import built_in

CONDITION = "condition"
"""The input without a field in `a_table`."""


def a_table(name: TableName, *rows: dict[str, str], inputs: tuple[str, ...] = ()) -> Document:
    """A row is `{column: cell}`, its rule id `R1`, `R2`, … unless it has an `id`."""
    shape = SHAPES[name]
    outputs = tuple(Column(f"then_{o.field}", o.field, o.field) for o in shape.outputs)
    named = dict.fromkeys((*inputs, *(key for row in rows for key in row)))
    answers = {o.field for o in shape.outputs}
    fields = [n for n in named if n in inputs or (n in (*shape.fields, CONDITION) and n not in answers)]
    columns = tuple(Column(n, n, None if n == CONDITION else n) for n in fields)
    made = []
    for n, row in enumerate(rows, start=1):
        cells = {c.id: row.get(c.id, "") for c in columns} | {c.id: row.get(str(c.field), "") for c in outputs}
        made.append(RuleRow(row.get("id", f"R{n}"), "", cells))
    return document_of(RuleTable(shape, columns, outputs, tuple(made)))


def a_rule_set(*, version: int = 1, **tables: Document) -> RuleSet:
    """The built-in tables with some replaced."""
    base = copy.deepcopy(built_in().tables)
    return RuleSet.model_validate({"name": "test", "tables": {**base, **tables}, "version": version})


def a_line(line_id: str = "L1", **changes: Any) -> LineFacts:
    fields: dict[str, Any] = {
        "line_id": line_id, "sku": "MUG", "qty": 2, "stock": 9, "line_amount_minor": 9_900, "ship_from": "A",
        "warehouses": ("A", "B"), "supplier": "SELF", "logistics": "ambient", "customs": "domestic",
        "cross_border": False, "battery": False, "hazard": False, "weight_g": 400,
    }  # fmt: skip
    return LineFacts(**(fields | changes))


def a_question(*lines: LineFacts, **changes: Any) -> RuleQuestion:
    fields: dict[str, Any] = {
        "channel": "shop", "kind": "normal", "currency": "CNY", "amount_minor": 19_800, "order_lines": len(lines),
        "order_qty": 2, "order_weight_g": 800, "country": "CN", "province": "浙江省", "city": "杭州市", "district": "",
        "policy_priority": DIMENSIONS,
    }  # fmt: skip
    return RuleQuestion(order=OrderFacts(**(fields | changes)), lines=lines or (a_line(),))
