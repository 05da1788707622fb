"""A file of orders or articles as numbered rows of text: header checked, ragged rows marked. Streams."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Protocol

from starter.importer.encodings import UnableToDecode, delimiter_of, encoding_of

DETECT = "detect"


class UnableToImport(ValueError):
    """The file as a whole cannot be imported, and nothing of it was. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class TableRow:
    number: int
    """As a spreadsheet counts: the header is row 1."""
    cells: dict[str, str]
    fault: str | None = None
    """The row has more or fewer cells than the header, or one that cannot be read."""


class OrderTable(Protocol):
    """A table that can be read more than once; `rows()` starts from the top each time."""

    encoding: str
    header: list[str]

    def rows(self) -> Iterator[TableRow]: ...


class ImportTable:
    """A CSV file."""

    def __init__(self, path: Path, needed: Sequence[str], *, encoding: str = DETECT, delimiter: str = DETECT) -> None:
        """Raises `UnableToImport` when the file cannot be read, decoded or lacks a needed column. What is to be
        detected is found by the needed columns first."""
        self._path = path
        try:
            self.encoding = encoding_of(path, needed, None if encoding == DETECT else encoding)
            found = delimiter_of(path, self.encoding, needed)
        except OSError as error:
            raise UnableToImport(f"{path} cannot be read: {error.strerror}.") from None
        except UnableToDecode as error:
            raise UnableToImport(f"{path.name} {error}") from None
        self.delimiter = found if delimiter == DETECT else delimiter
        self.header = next(self._records(), [])
        reads = f"read as {self.encoding.removesuffix('-sig')} with {self.delimiter!r} between the columns"
        check_header(path, self.header, needed, reads)

    def rows(self) -> Iterator[TableRow]:
        """Data rows in file order; rows without any text are skipped but counted."""
        records = self._records()
        header = next(records, [])
        for number, cells in enumerate(records, start=2):
            if any(cell.strip() for cell in cells):
                fault = None if len(cells) == len(header) else f"{len(cells)} cells, the header has {len(header)}"
                yield TableRow(number, dict(zip(header, cells, strict=False)), fault)

    def _records(self) -> Iterator[list[str]]:
        count = 0
        with _open(self._path, self.encoding) as file:
            try:
                for record in csv.reader(file, delimiter=self.delimiter, strict=True):
                    count += 1
                    yield record if count > 1 else [name.strip() for name in record]
            except csv.Error as e:
                raise UnableToImport(
                    f"{self._path.name} is broken after row {count} ({e}); nothing was imported. "
                    "Check the quotes near that row."
                ) from None


def check_header(path: Path, header: list[str], needed: Sequence[str], reads: str) -> None:
    """Raises `UnableToImport` for a header that is empty, names a column twice or lacks one. `reads`: how the file was
    understood, for whoever knows better."""
    if not header:
        raise UnableToImport(f"{path.name} is empty; the first row must name the columns.")
    twice = sorted({c for c in header if c and header.count(c) > 1})
    if twice:
        raise UnableToImport(f"{path.name} has the column {twice[0]!r} twice; rename one.")
    missing = [c for c in needed if c not in header]
    if missing:
        raise UnableToImport(
            f"{path.name} lacks the column {', '.join(repr(c) for c in missing)}; it has "
            f"{', '.join(repr(c[:40]) for c in header[:40])}. Correct the mapping or the file; it was {reads}: if "
            "that is wrong, say `encoding` and `delimiter` in the mapping."
        )


def _open(path: Path, encoding: str) -> TextIOWrapper:
    return path.open(encoding=encoding, newline="")
