"""A decision table as a form has it: a field a cell; and back into the document that is drafted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.datastructures import FormData

from domain.rules.findings import Finding
from domain.rules.sets import Document
from domain.rules.tables import MAX_COLUMNS, Column, Output, RuleRow, RuleTable, Shape
from domain.rules.writing import document_of

MOST_CELLS = 6_000
MOST_ROWS = 500
WHOLE = "condition"
"""The name of a column whose cells are whole conditions."""
LONGEST = 600
RULE_ID, NOTE = "id", "note"


@dataclass(frozen=True)
class GridRow:
    """`cells`: one a column, conditions first, then answers."""

    rule_id: str
    note: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """`inputs`: the columns that conditions read; '' for whole conditions."""

    shape: Shape
    inputs: tuple[str, ...]
    rows: tuple[GridRow, ...]

    @property
    def outputs(self) -> tuple[Output, ...]:
        return self.shape.outputs

    @property
    def too_large(self) -> bool:
        return len(self.rows) * (len(self.inputs) + len(self.outputs) + 2) > MOST_CELLS

    @property
    def unused(self) -> tuple[str, ...]:
        """Columns that may be added."""
        return tuple(name for name in self.shape.fields if name not in self.inputs)

    def names(self) -> tuple[str, ...]:
        """Of the columns in the document, which findings name: conditions first, then answers."""
        return (*_names(self.inputs), *(f"→ {o.field}" for o in self.outputs))

    def document(self) -> Document:
        titles = self.names()
        inputs = tuple(Column(n, n, field or None) for n, field in zip(titles, self.inputs, strict=False))
        outputs = tuple(Column(f"then_{o.field}", f"→ {o.field}", o.field) for o in self.outputs)
        ids = [column.id for column in (*inputs, *outputs)]
        rows = tuple(RuleRow(row.rule_id, row.note, dict(zip(ids, row.cells, strict=True))) for row in self.rows)
        return document_of(RuleTable(self.shape, inputs, outputs, rows))

    def placed(self, findings: Iterable[Finding]) -> tuple[dict[tuple[int, int], list[Finding]], list[Finding]]:
        """By row and column, -1 for the row as a whole; and what belongs to no row of this table."""
        columns = {name: n for n, name in enumerate(self.names())}
        rows = {row.rule_id: n for n, row in reversed(list(enumerate(self.rows)))}
        at: dict[tuple[int, int], list[Finding]] = {}
        rest = []
        for finding in findings:
            if finding.table == self.shape.name and finding.row in rows:
                place = rows[finding.row], columns.get(finding.column or "", -1)
                at.setdefault(place, []).append(finding)
            else:
                rest.append(finding)
        return at, rest


def grid_of(table: RuleTable) -> Grid:
    by_field = {c.field: c.id for c in table.outputs}
    ids = [*(c.id for c in table.inputs), *(by_field[o.field] for o in table.shape.outputs)]
    rows = tuple(GridRow(row.rule_id, row.note, tuple(row.cells[i] for i in ids)) for row in table.rows)
    return Grid(table.shape, tuple(c.field or "" for c in table.inputs), rows)


def grid_in(shape: Shape, form: FormData, known: Mapping[str, Sequence[str]]) -> Grid:
    """`known`: values by column; a bare one is meant as a text. What no page of ours sends is left out."""
    given = [str(name) for name in form.getlist("column")][:MAX_COLUMNS]
    inputs = tuple(dict.fromkeys(name for name in given if name == "" or name in shape.fields))
    width = len(inputs) + len(shape.outputs)
    kinds = [shape.fields.get(name) for name in inputs] + [o.kind for o in shape.outputs]
    names = [*inputs, *(o.field for o in shape.outputs)]
    rows = []
    for n in range(MOST_ROWS):
        if f"{RULE_ID}:{n}" not in form:
            break
        cells = [
            _meant(_text(form, f"c:{n}:{k}"), kinds[k] == "text", known.get(names[k], ())) for k in range(width)
        ]  # fmt: skip
        rows.append(GridRow(_text(form, f"{RULE_ID}:{n}"), _text(form, f"{NOTE}:{n}"), tuple(cells)))
    return Grid(shape, inputs, tuple(rows))


def acted(grid: Grid, act: str) -> Grid:
    """After a press of a button of the grid: `add`, `remove:2`, `up:2`, `down:2`, `with:sku`, `without:0`."""
    verb, _, what = act.partition(":")
    rows, n = list(grid.rows), int(what) if what.isascii() and what.isdigit() and len(what) < 6 else -1
    if verb == "add" and len(rows) < grid.shape.most_rows:
        blank = ("",) * (len(grid.inputs) + len(grid.outputs))
        return replace(grid, rows=(*rows, GridRow(_free({row.rule_id for row in rows}), "", blank)))
    if verb == "with" and (what == WHOLE or what in grid.unused) and len(grid.inputs) < MAX_COLUMNS:
        at = len(grid.inputs)
        wider = (replace(r, cells=(*r.cells[:at], "", *r.cells[at:])) for r in rows)
        field = "" if what == WHOLE else what
        return grid if field in grid.inputs else replace(grid, inputs=(*grid.inputs, field), rows=tuple(wider))
    if verb == "without" and 0 <= n < len(grid.inputs):
        narrower = (replace(r, cells=(*r.cells[:n], *r.cells[n + 1 :])) for r in rows)
        return replace(grid, inputs=(*grid.inputs[:n], *grid.inputs[n + 1 :]), rows=tuple(narrower))
    if not 0 <= n < len(rows):
        return grid
    row = rows.pop(n)
    if verb in ("up", "down"):
        rows.insert(max(0, n - 1) if verb == "up" else n + 1, row)
    return replace(grid, rows=tuple(rows)) if verb in ("up", "down", "remove") else grid


def _names(inputs: Sequence[str]) -> tuple[str, ...]:
    return tuple(name or WHOLE for name in inputs)


def _free(taken: set[str]) -> str:
    return next(name for n in range(1, len(taken) + 2) if (name := f"R{n}") not in taken)


def _meant(cell: str, is_text: bool, known: Sequence[str]) -> str:
    return f"'{cell}'" if is_text and cell in known and "'" not in cell else cell


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:LONGEST] if isinstance(value, str) else ""
