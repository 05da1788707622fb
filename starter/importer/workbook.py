"""Sheets of an .xlsx file as numbered rows. Streams; formulas are marked and never believed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from openpyxl import load_workbook
from openpyxl.cell.read_only import EMPTY_CELL

from starter.importer.archive import inspect
from starter.importer.table import UnableToImport

MAX_ROWS = 200_000
MAX_COLUMNS = 60
MAX_CELL = 2_000

Value = str | int | float | bool | None
Moment = datetime | date | time


class WorkbookRefused(ValueError):
    """A cell that is not read. The text says why."""


Cell = Value | WorkbookRefused


class Workbook:
    """A workbook that can be read more than once; `rows()` starts from the top each time."""

    def __init__(self, path: Path, *, dates: bool = False) -> None:
        """`dates`: whoever reads it knows what to do with cells that hold dates; else they are refused. Raises
        `UnableToImport` for anything that is no plain workbook."""
        inspect(path)
        self._path, self._dates = path, dates

    def sheets(self) -> tuple[str, ...]:
        """Titles in their order."""
        with self._opened() as book:
            return tuple(sheet.title for sheet in book.worksheets)

    def rows(self, number: int = 0) -> Iterator[tuple[int, list[Any]]]:
        """Rows of a sheet (counted from 0), with their numbers as the spreadsheet counts; empty ones are left out.
        Of `Cell`, and of `Moment` where dates are taken."""
        with self._opened() as book:
            if number >= len(book.worksheets):
                raise UnableToImport(f"{self._path.name} has no sheet; nothing was imported.")
            sheet = book.worksheets[number]
            sheet.reset_dimensions()  # what the file says of its own size is not believed
            before = None
            for row, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1), start=1):
                if cells is before:  # a gap between rows: the parser repeats one empty row
                    continue
                before, read = cells, [None if cell is EMPTY_CELL else _cell(cell, self._dates) for cell in cells]
                if all(value is None for value in read):
                    continue
                if row > MAX_ROWS or read[MAX_COLUMNS:] not in ([], [None]):
                    limit = f"more than {MAX_ROWS} rows or {MAX_COLUMNS} columns"
                    raise UnableToImport(f"{self._path.name} has {limit}; split it into several files.")
                yield row, read[:MAX_COLUMNS]

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """The parser works on a file that anyone may have made: whatever it stumbles over is a refusal of the file."""
        try:
            book = load_workbook(self._path, read_only=True, data_only=False, keep_links=False)
            try:
                yield book
            finally:
                book.close()
        except (UnableToImport, GeneratorExit):
            raise
        except Exception as error:
            text = f"{self._path.name} cannot be read as a workbook ({type(error).__name__}); save it anew as .xlsx."
            raise UnableToImport(text) from error


def about_rows(path: Path) -> int:
    """About how many rows the first sheet of a workbook has, which has been opened before."""
    with ZipFile(path) as archive:
        name = next((n for n in archive.namelist() if n.startswith("xl/worksheets/")), None)
        if name is None:
            return 0
        with archive.open(name) as file:
            return sum(chunk.count(b"<row ") for chunk in iter(lambda: file.read(1 << 20), b""))


def _cell(cell: Any, dates: bool) -> Cell | Moment:
    value = cell.value
    refusal = None
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if cell.data_type == "f":
        refusal = "holds a formula; paste its value instead"
    elif cell.data_type == "e":
        refusal = f"holds the error {str(value)[:20]}; correct it"
    elif dates and isinstance(value, Moment):
        return value
    elif isinstance(value, datetime | date | time | timedelta):
        refusal = "holds a date; format the cell as text"
    elif len(str(value)) > MAX_CELL:
        refusal = f"holds more than {MAX_CELL} characters"
    if refusal:
        return WorkbookRefused(refusal)
    return value if isinstance(value, bool | int | float) else str(value)
