"""Orders in the first sheet of an .xlsx workbook, as the rows that a CSV file would have."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path

from starter.importer.table import ImportTable, OrderTable, TableRow, UnableToImport, check_header
from starter.importer.workbook import Moment, Value, Workbook, WorkbookRefused

WORKBOOKS = (".xlsx", ".xlsm")
_EXACT = 10**15
"""A spreadsheet keeps 15 digits of a number; the others have become zeros."""


def order_table(
    path: Path, needed: Sequence[str], dates: Mapping[str, str], *, encoding: str, delimiter: str
) -> OrderTable:
    """The file by its ending. `dates`: format by column, for cells that a spreadsheet holds as dates. Raises
    `UnableToImport`."""
    if path.suffix.lower() in WORKBOOKS:
        return OrderSheet(path, needed, dates)
    return ImportTable(path, needed, encoding=encoding, delimiter=delimiter)


class OrderSheet:
    """The first sheet of a workbook. Raises `UnableToImport` for what is none, or lacks a needed column."""

    encoding = "xlsx"

    def __init__(self, path: Path, needed: Sequence[str], dates: Mapping[str, str]) -> None:
        self._book, self._dates = Workbook(path, dates=True), dates
        _, cells = next(self._book.rows(), (0, []))
        if any(isinstance(cell, WorkbookRefused) for cell in cells):
            raise UnableToImport(f"{path.name}: the first row must name the columns in plain text.")
        self.header = [str(cell).strip() if cell is not None else "" for cell in cells]
        check_header(path, self.header, needed, "read from its first sheet")

    def rows(self) -> Iterator[TableRow]:
        """Data rows in file order; empty ones are left out."""
        rows = self._book.rows()
        next(rows, None)
        for number, cells in rows:
            yield self._row(number, cells)

    def _row(self, number: int, cells: Sequence[Value | Moment | WorkbookRefused]) -> TableRow:
        found = dict.fromkeys(self.header, "")
        fault = f"cells beyond the last column, {len(self.header)}" if len(cells) > len(self.header) else None
        for name, cell in zip(self.header, cells, strict=False):
            try:
                found[name] = self._text(name, cell)
            except WorkbookRefused as refused:
                fault = fault or f"column {name!r} {refused}"
        return TableRow(number, found, fault)

    def _text(self, name: str, cell: Value | Moment | WorkbookRefused) -> str:
        """As a CSV file would have it. Raises `WorkbookRefused`."""
        if isinstance(cell, WorkbookRefused):
            raise cell
        if isinstance(cell, datetime | date | time):
            if name not in self._dates:
                raise WorkbookRefused("holds a date; if it was typed as a code, format the column as text")
            return cell.strftime(self._dates[name])
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            if abs(cell) >= _EXACT:
                raise WorkbookRefused("holds a number of which a spreadsheet keeps 15 digits; format it as text")
            return str(int(cell)) if float(cell).is_integer() else repr(cell)
        return "" if cell is None else str(cell)
