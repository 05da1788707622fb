"""What a file of orders looks like, before anything is made of it: encoding, delimiter, columns, first rows."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from starter.importer.table import DETECT, ImportTable, TableRow

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
    table = ImportTable(path, (), encoding=encoding, delimiter=delimiter or DETECT)
    return FilePreview(
        table.encoding, table.delimiter, tuple(table.header), tuple(islice(table.rows(), SHOWN))
    )  # fmt: skip
