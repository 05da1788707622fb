"""A catalogue file, .xlsx, .csv or .jsonl, as numbered rows of cells by column name (R26)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from domain.catalog.rows import COLUMNS, Cell, RowFault, column_of
from domain.strict import UnableToRead, load
from starter.clients.catalog import NumberedRow
from starter.importer.catalogue_out import unquoted
from starter.importer.table import ImportTable, UnableToImport
from starter.importer.workbook import Workbook, WorkbookRefused, about_rows

MAX_LINE = 100_000
"""Bytes of one JSON line; a longer one is a bad row."""
NOTE = "#"
"""A row whose first cell begins so is a note for people."""


def rows_of(path: Path) -> Iterator[NumberedRow]:
    """Data rows in file order. Raises `UnableToImport` when the file as a whole is unusable, before the first row for
    all that can be known then."""
    ending = path.suffix.lower()
    if ending == ".jsonl":
        return _from_json_lines(path)
    rows = _from_workbook(path) if ending in (".xlsx", ".xlsm") else _from_csv(path)
    return (row for row in rows if not _is_note(row))


def count_rows(path: Path) -> int:
    """About how many rows a file has that `rows_of` has opened, for a progress bar."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return max(0, about_rows(path) - 1)
    with path.open("rb") as file:
        return max(0, sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1)


def _from_json_lines(path: Path) -> Iterator[NumberedRow]:
    """One JSON object a line, for systems; a line that is none is a bad row."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnableToImport(f"{path} cannot be read: {error.strerror}.") from None

    def rows() -> Iterator[NumberedRow]:
        with file:
            number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                rest = line
                while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
                    rest = file.readline(MAX_LINE + 1)
                if line.strip():
                    yield _object(number, line)

    return rows()


def _object(number: int, line: bytes) -> NumberedRow:
    try:
        value = load(line, max_bytes=MAX_LINE)
        if not isinstance(value, dict) or not all(_is_cell(cell) for cell in value.values()):
            raise UnableToRead("the line is no object of texts, numbers, flags and lists of texts")
    except UnableToRead as error:
        advice = "one JSON object a line, as docs/contract/catalog.md shows"
        return NumberedRow(number, {}, (RowFault(column="row", reason=str(error), advice=advice),))
    return NumberedRow(number, value)


def _is_cell(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(part, str) for part in value)
    return value is None or isinstance(value, str | int | float | bool)


def _from_csv(path: Path) -> Iterator[NumberedRow]:
    table = ImportTable(path, ())
    _known(path, table.header)

    def rows() -> Iterator[NumberedRow]:
        for row in table.rows():
            faults = (RowFault(column="row", reason=row.fault, advice="one cell a column"),) if row.fault else ()
            yield NumberedRow(row.number, {k: unquoted(v) for k, v in row.cells.items()}, faults)

    return rows()


def _from_workbook(path: Path) -> Iterator[NumberedRow]:
    rows = Workbook(path).rows()
    _, cells = next(rows, (0, []))
    if any(isinstance(cell, WorkbookRefused) for cell in cells):
        raise UnableToImport(f"{path.name}: the first row must name the columns in plain text.")
    header = [str(cell).strip() if cell is not None else "" for cell in cells]
    while header and not header[-1]:
        header.pop()
    _known(path, header)
    return (_numbered(number, header, cells) for number, cells in rows)


def _numbered(number: int, header: Sequence[str], cells: Sequence[Cell | WorkbookRefused]) -> NumberedRow:
    faults = tuple(
        RowFault(column=name, reason=str(cell), advice="type the value as plain text")
        for name, cell in zip(header, cells, strict=False)
        if isinstance(cell, WorkbookRefused)
    )
    if any(cell is not None for cell in cells[len(header) :]):
        faults += (RowFault(column="row", reason="has cells beyond the last column", advice="clear them"),)
    good = {n: c for n, c in zip(header, cells, strict=False) if not isinstance(c, WorkbookRefused)}
    # A row may end before the header does: the cells it lacks are empty ones.
    return NumberedRow(number, {**dict.fromkeys(header), **good}, faults)


def _known(path: Path, header: list[str]) -> None:
    columns = [column_of(name) for name in header]
    names = [column.name for column in columns if column]
    unknown = next((name for name, column in zip(header, columns, strict=True) if column is None), None)
    if unknown is not None:
        known = ", ".join(column.name for column in COLUMNS)
        raise UnableToImport(f"{path.name} has the unknown column {unknown[:40]!r}; a catalogue has {known}.")
    if "sku" not in names:
        raise UnableToImport(f"{path.name} lacks the column 'sku'; see `oms catalog template`.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UnableToImport(f"{path.name} has the column {twice!r} twice; remove one.")


def _is_note(row: NumberedRow) -> bool:
    first = next(iter(row.cells.values()), None)
    return isinstance(first, str) and first.lstrip().startswith(NOTE)
