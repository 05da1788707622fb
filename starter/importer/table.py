"""A CSV file as numbered rows: encoding found out, header checked, ragged rows marked. Streams."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class UnableToImport(ValueError):
    """The file as a whole cannot be imported, and nothing of it was. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class TableRow:
    number: int
    """As a spreadsheet counts: the header is row 1."""
    cells: dict[str, str]
    fault: str | None = None
    """The row has more or fewer cells than the header."""


class ImportTable:
    """A CSV file that can be read more than once; `rows()` starts from the top each time."""

    def __init__(self, path: Path, needed: Sequence[str], *, encoding: str = "detect", delimiter: str = ",") -> None:
        """Raises `UnableToImport` when the file cannot be read, decoded or lacks a needed column."""
        self._path, self.delimiter = path, delimiter
        self.encoding = _encoding(path, encoding)
        self.header = self._header()
        missing = [c for c in needed if c not in self.header]
        if missing:
            raise UnableToImport(
                f"{path.name} lacks the column {', '.join(repr(c) for c in missing)}; "
                f"it has {', '.join(repr(c) for c in self.header)}. Correct the mapping or the file."
            )

    def rows(self) -> Iterator[TableRow]:
        """Data rows in file order; rows without any text are skipped but counted."""
        records = self._records()
        header = next(records, [])
        for number, cells in enumerate(records, start=2):
            if any(cell.strip() for cell in cells):
                fault = None if len(cells) == len(header) else f"{len(cells)} cells, the header has {len(header)}"
                yield TableRow(number, dict(zip(header, cells, strict=False)), fault)

    def _header(self) -> list[str]:
        header = next(self._records(), [])
        if not header:
            raise UnableToImport(f"{self._path.name} is empty; the first row must name the columns.")
        twice = sorted({c for c in header if header.count(c) > 1})
        if twice:
            raise UnableToImport(f"{self._path.name} has the column {twice[0]!r} twice; rename one.")
        return header

    def _records(self) -> Iterator[list[str]]:
        count = 0
        with _open(self._path, self.encoding) as file:
            try:
                for record in csv.reader(file, delimiter=self.delimiter, strict=True):
                    count += 1
                    yield record
            except csv.Error as e:
                raise UnableToImport(
                    f"{self._path.name} is broken after row {count} ({e}); nothing was imported. "
                    "Check the quotes near that row."
                ) from None


def _open(path: Path, encoding: str) -> TextIOWrapper:
    return path.open(encoding=encoding, newline="")


def _encoding(path: Path, wanted: str) -> str:
    """The encoding that decodes the whole file: with `detect` UTF-8 (BOM or not), else GB18030."""
    try:
        with path.open("rb") as file:
            start = file.read(3)
        if start.startswith(_UTF16):
            raise UnableToImport(f"{path.name} is UTF-16; save it as UTF-8 CSV and import again.")
        candidates = ["utf-8-sig", "gb18030"] if wanted == "detect" else [wanted]
        if wanted == "utf-8":  # a BOM would stick to the first column's name
            candidates = ["utf-8-sig"]
        for encoding in candidates:
            at = _undecodable(path, encoding)
            if at is None:
                return encoding
    except OSError as e:
        raise UnableToImport(f"{path} cannot be read: {e.strerror}.") from None
    raise UnableToImport(
        f"{path.name} is not {' or '.join(candidates)} (line {at}); save it as UTF-8 and import again."
    )


def _undecodable(path: Path, encoding: str) -> int | None:
    line = 1
    try:
        with _open(path, encoding) as file:
            while chunk := file.read(65536):
                line += chunk.count("\n")
    except UnicodeDecodeError:
        return line
    return None
