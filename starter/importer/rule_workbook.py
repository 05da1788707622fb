"""A rule set as a workbook: a sheet a table, a row a rule, so that it can be written in any spreadsheet."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from openpyxl import Workbook as NewWorkbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from domain.rules.reading import read_table
from domain.rules.sets import Document, RuleSet, TableName
from domain.rules.tables import SHAPES, Column, RuleRow, RuleTable, Shape
from domain.rules.writing import document_of
from starter.importer.catalogue_out import STARTS_FORMULA, TEXT
from starter.importer.table import UnableToImport
from starter.importer.workbook import Cell, Workbook, WorkbookRefused

ID, NOTE, THEN, CONDITION = "id", "note", "→ ", "condition"
_THEN = re.compile(r"(?:→|->|then\b)\s*", re.IGNORECASE)
_SINGLE = re.compile(r"'([^'\"]*)'")
_WIDTH = 22


def read_workbook(path: Path) -> dict[TableName, Document]:
    """The tables of the sheets that are named like one; other sheets are notes. Raises `UnableToImport`."""
    book = Workbook(path)
    found: dict[TableName, Document] = {}
    for number, title in enumerate(book.sheets()):
        name = title.strip().lower()
        if name in SHAPES:
            rows = list(book.rows(number))
            found[cast(TableName, name)] = document_of(_table(path, SHAPES[cast(TableName, name)], rows))
    if not found:
        raise UnableToImport(f"{path.name} has no sheet named {', '.join(SHAPES)}; see `oms rules export`.")
    return found


def write_workbook(path: Path, rule_set: RuleSet) -> None:
    """Raises `OSError`."""
    book = NewWorkbook()
    first = book.active
    for name, shape in SHAPES.items():
        table, _ = read_table(shape, rule_set.tables[name])
        if table is None:
            continue
        sheet = book.create_sheet(name)
        sheet.append([ID, *_headings(table), NOTE])
        for row in table.rows:
            cells = [_doubled(row.cells[c.id]) for c in (*table.inputs, *table.outputs)]
            sheet.append([row.rule_id, *cells, row.note])
        for n, column in enumerate(sheet.iter_cols(), start=1):
            letter = get_column_letter(n)
            sheet.column_dimensions[letter].width = _WIDTH
            sheet.column_dimensions[letter].number_format = TEXT
            column[0].font = Font(bold=True)
            for cell in column:
                cell.number_format = TEXT
                if isinstance(cell.value, str) and cell.value:
                    cell.data_type = "s"  # `== "A"` is a condition, not a formula
                    cell.quotePrefix = cell.value.startswith(STARTS_FORMULA)
        sheet.freeze_panes = "B2"
    if first is not None:
        book.remove(first)
    book.save(path)


def headings_of(column: Column, output: bool) -> str:
    if output:
        return f"{THEN}{column.field}"
    return column.field or CONDITION


def _headings(table: RuleTable) -> list[str]:
    """Conditions without a column of their own are told apart by a number."""
    found: list[str] = []
    for column in table.inputs:
        heading = headings_of(column, output=False)
        again = sum(name.split(" ")[0] == heading for name in found)
        found.append(f"{heading} {again + 1}" if again else heading)
    return [*found, *(headings_of(column, output=True) for column in table.outputs)]


def _table(path: Path, shape: Shape, rows: Sequence[tuple[int, Sequence[Cell | WorkbookRefused]]]) -> RuleTable:
    where = f"{path.name}, sheet {shape.name}"
    header = [_text(where, 1, cell) for cell in rows[0][1]] if rows else []
    while header and not header[-1]:
        header.pop()
    if not header or header[0].lower() != ID:
        raise UnableToImport(f"{where}: the first column must be {ID!r}; see `oms rules export`.")
    inputs: list[Column] = []
    outputs: list[Column] = []
    places: dict[str, int] = {}
    note = None
    for n, heading in enumerate(header[1:], start=1):
        if heading.lower() == NOTE:
            note = n
            continue
        then = _THEN.match(heading)
        ident = f"{'then' if then else 'if'}_{n}"
        places[ident] = n
        if then:
            outputs.append(Column(ident, heading, heading[then.end() :].strip()))
        else:
            whole = heading.lower().split(" ")[0] == CONDITION
            inputs.append(Column(ident, heading, None if whole else heading.split(" ")[0]))
    made = []
    for number, cells in rows[1:]:
        texts = [_text(where, number, cell) for cell in cells] + [""] * (len(header) - len(cells))
        if texts[0].startswith("#"):
            continue
        values = {ident: texts[n].strip() for ident, n in places.items()}
        made.append(RuleRow(texts[0].strip(), texts[note][:200] if note else "", values))
    return RuleTable(shape, tuple(inputs), tuple(outputs), tuple(made))


def _text(where: str, number: int, cell: Cell | WorkbookRefused) -> str:
    if isinstance(cell, WorkbookRefused):
        raise UnableToImport(f"{where}, row {number}: a cell {cell}. Conditions that begin with = need a text cell.")
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _doubled(cell: str) -> str:
    """Text in double quotes: a spreadsheet swallows a single one at the beginning of a cell."""
    return _SINGLE.sub(r'"\1"', cell) if '"' not in cell else cell
