"""A JDM document into the decision table that it holds, or what keeps it from being one."""

import re
from collections.abc import Mapping
from typing import Any

from domain.order import COLD
from domain.rules.findings import Finding
from domain.rules.tables import MAX_COLUMNS, Column, RuleRow, RuleTable, Shape

INPUT, TABLE, OUTPUT = "inputNode", "decisionTableNode", "outputNode"
_RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_MAX_NAME = 80


class _Reader:
    def __init__(self, shape: Shape) -> None:
        self.shape, self.findings = shape, list[Finding]()

    def wrong(self, text: str, advice: str = "", row: str | None = None, column: str | None = None) -> None:
        self.findings.append(
            Finding(severity="error", table=self.shape.name, row=row, column=column, text=text, advice=advice)
        )


def read_table(shape: Shape, document: Mapping[str, Any]) -> tuple[RuleTable | None, tuple[Finding, ...]]:
    """The table, None when there is none to look at further; and every fault of form."""
    reader = _Reader(shape)
    content = _content(reader, document)
    if content is None:
        return None, tuple(reader.findings)
    inputs = _columns(reader, content, "inputs")
    outputs = _columns(reader, content, "outputs")
    _fields(reader, inputs, outputs)
    rows = _rows(reader, content, (*inputs, *outputs))
    return RuleTable(shape, inputs, outputs, rows), tuple(reader.findings)


def _content(reader: _Reader, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    nodes = document.get("nodes")
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        reader.wrong("is no JDM document: it has no list `nodes`", "export a table and change that one")
        return None
    kinds = [str(node.get("type")) for node in nodes]
    if "functionNode" in kinds:
        reader.wrong("holds a function node: rules run no code", "say it with rows of a decision table")
        return None
    odd = set(kinds) - {INPUT, TABLE, OUTPUT}
    if kinds.count(TABLE) != 1 or kinds.count(INPUT) != 1 or kinds.count(OUTPUT) > 1 or odd:
        text = f"must hold one input, one decision table and one output node, not {', '.join(kinds)[:200]}"
        reader.wrong(text, "put everything into one table")
        return None
    content = nodes[kinds.index(TABLE)].get("content")
    if not isinstance(content, dict):
        reader.wrong("its decision table node is empty", "export a table and change that one")
        return None
    if content.get("hitPolicy", "first") != reader.shape.hit:
        meaning = "the first row that fits counts" if reader.shape.hit == "first" else "every row that fits counts"
        reader.wrong(f"its hit policy must be {reader.shape.hit!r}: {meaning}")
    for name in ("inputField", "outputPath"):
        if content.get(name) not in (None, ""):
            reader.wrong(f"sets {name!r}, which this table has no use for", "leave it empty")
    if content.get("executionMode", "single") not in (None, "single"):
        reader.wrong("its execution mode must be 'single'")
    return content


def _columns(reader: _Reader, content: Mapping[str, Any], what: str) -> tuple[Column, ...]:
    found: list[Column] = []
    given = content.get(what)
    if not isinstance(given, list) or len(given) > MAX_COLUMNS:
        reader.wrong(f"has no list of {what}, or more than {MAX_COLUMNS}")
        return ()
    for item in given:
        ident, field = (item.get("id"), item.get("field")) if isinstance(item, dict) else (None, None)
        if not isinstance(ident, str) or not ident or ident.startswith("_") or ident in {c.id for c in found}:
            reader.wrong(f"one of its {what} has no id, or one that is taken")
        elif field is not None and not isinstance(field, str):
            reader.wrong("its field is no text", column=ident)
        elif item.get("defaultValue") not in (None, ""):
            reader.wrong("has a default value", "write a last row without conditions instead", column=ident)
        else:
            name = str(item.get("name") or field or ident)[:_MAX_NAME]
            found.append(Column(ident, name, (field or "").strip() or None))
    return tuple(found)


def _fields(reader: _Reader, inputs: tuple[Column, ...], outputs: tuple[Column, ...]) -> None:
    shape = reader.shape
    for column in inputs:
        if column.field is None and shape.data:
            reader.wrong("has no field", f"one of {', '.join(shape.fields)}", column=column.name)
        if column.field is not None and column.field not in shape.fields:
            advice = f"conditions may read {', '.join(shape.fields)}"
            reader.wrong(f"reads {column.field!r}, which is no column", advice, column=column.name)
    wanted = [output.field for output in shape.outputs]
    given = [column.field for column in outputs]
    for field in wanted:
        if given.count(field) != 1:
            reader.wrong(f"lacks the output {field!r}, or has it twice", f"outputs are {', '.join(wanted)}")
    for column in outputs:
        if column.field not in wanted:
            reader.wrong(
                f"answers {column.field!r}, which nobody asks for", f"outputs are {', '.join(wanted)}",
                column=column.name,
            )  # fmt: skip
    if {c.id for c in inputs} & {c.id for c in outputs}:
        reader.wrong("an input and an output have the same id")


def _rows(reader: _Reader, content: Mapping[str, Any], columns: tuple[Column, ...]) -> tuple[RuleRow, ...]:
    given = content.get("rules")
    most = reader.shape.most_rows
    if not isinstance(given, list) or len(given) > most:
        reader.wrong(f"has no list of rules, or more than {most}", "join rows, e.g. with `in ['A', 'B']`")
        return ()
    rows: list[RuleRow] = []
    taken: set[str] = set()
    for number, item in enumerate(given, start=1):
        rule_id = item.get("_id") if isinstance(item, dict) else None
        if not isinstance(rule_id, str) or not _RULE_ID.fullmatch(rule_id) or rule_id in taken:
            advice = "1 to 40 letters, digits, . _ -; every row its own"
            reader.wrong(f"its {number}. row has no usable `_id`, or one that is taken", advice)
            continue
        taken.add(rule_id)
        row = _row(reader, rule_id, item, columns)
        if row is not None:
            rows.append(row)
    return tuple(rows)


def _one_name(column: Column, cell: str) -> str:
    """`cold_chain` is written `cold` on every order (`domain.order.Logistics`): such a cell would never fit."""
    if column.field != "logistics":
        return cell
    for name in COLD:
        cell = cell.replace(f"'{name}'", "'cold'").replace(f'"{name}"', '"cold"')
    return cell


def _row(reader: _Reader, rule_id: str, item: Mapping[str, Any], columns: tuple[Column, ...]) -> RuleRow | None:
    names = {column.id for column in columns}
    extra = [key for key in item if key not in names and not key.startswith("_")]
    missing = [column.name for column in columns if not isinstance(item.get(column.id), str)]
    for key in extra:
        reader.wrong(f"has a cell of the unknown column {key[:40]!r}", "add the column or remove the cell", row=rule_id)
    for name in missing:
        advice = "an empty text fits everything"
        reader.wrong("has no cell for this column, or one that is no text", advice, row=rule_id, column=name)
    if extra or missing:
        return None
    note = item.get("_description")
    cells = {column.id: _one_name(column, item[column.id].strip()) for column in columns}
    return RuleRow(rule_id, note[:200] if isinstance(note, str) else "", cells)
