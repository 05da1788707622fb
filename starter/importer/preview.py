"""What a file of orders looks like, before anything is made of it: encoding, delimiter, columns, first rows."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from starter.importer.table import ImportTable, TableRow, UnableToImport

DELIMITERS = (",", ";", "\t", "|")
SHOWN = 5


@dataclass(frozen=True)
class FilePreview:
    """`rows`: the first ones."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[TableRow, ...]

    def values(self, column: str) -> list[str]:
        return [row.cells.get(column, "") for row in self.rows]


def look(path: Path, encoding: str = "detect", delimiter: str = "") -> FilePreview:
    """`delimiter` '': the one that makes the most columns. Raises `UnableToImport`."""
    table = _table(path, encoding, delimiter)
    return FilePreview(
        table.encoding, table.delimiter, tuple(table.header), tuple(islice(table.rows(), SHOWN))
    )  # fmt: skip


def _table(path: Path, encoding: str, delimiter: str) -> ImportTable:
    if delimiter:
        return ImportTable(path, (), encoding=encoding, delimiter=delimiter)
    found: list[ImportTable] = []
    why: UnableToImport | None = None
    for each in DELIMITERS:
        try:
            found.append(ImportTable(path, (), encoding=encoding, delimiter=each))
        except UnableToImport as error:
            why = why or error
    best = max(found, key=lambda table: len(table.header), default=None)
    if best is None or (why and len(best.header) == 1):
        raise why or UnableToImport(f"{path.name} cannot be read.")
    return best
