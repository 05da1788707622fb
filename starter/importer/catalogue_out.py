"""The catalogue as a file: a template to fill in, and what there is. No cell ever starts a formula."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from domain.catalog.records import CustomsMode, SkuRecord
from domain.catalog.rows import COLUMNS, SheetColumn

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
TEXT = "@"
"""The number format of text: a spreadsheet keeps leading zeros and long numbers as they were typed."""
_LIST_ROWS = 5_000


def unquoted(cell: str) -> str:
    """A CSV cell without the apostrophe that keeps a spreadsheet from reading it as a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(STARTS_FORMULA) else cell


def write_template(path: Path) -> None:
    """An empty workbook: header, a row of notes in Chinese and English, cells formatted as text. Raises `OSError`."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "catalogue"
    for n, column in enumerate(COLUMNS, start=1):
        letter = get_column_letter(n)
        sheet.column_dimensions[letter].width = max(14, len(column.name) + 4)
        sheet.column_dimensions[letter].number_format = TEXT
        sheet.cell(1, n, column.name).font = Font(bold=True)
        note = sheet.cell(2, n, f"{'# ' if n == 1 else ''}{column.zh} / {column.en}")
        note.font = Font(italic=True, color="808080")
        note.number_format = TEXT
        choices = _choices(column)
        if choices:
            list_of = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
            list_of.add(f"{letter}3:{letter}{_LIST_ROWS}")
            sheet.add_data_validation(list_of)
    sheet.freeze_panes = "B3"
    book.save(path)


class WorkbookOut:
    """The catalogue as .xlsx, written row by row; whole after `close`."""

    def __init__(self, path: Path) -> None:
        self._path, self._book = path, Workbook(write_only=True)
        self._sheet = self._book.create_sheet("catalogue")
        self._sheet.append([self._text(column.name) for column in COLUMNS])

    def write(self, records: Iterable[SkuRecord]) -> None:
        for record in records:
            self._sheet.append([self._cell(value) for value in _values(record)])

    def close(self) -> None:
        self._book.save(self._path)

    def _cell(self, value: Any) -> Any:
        return self._text(value) if isinstance(value, str) and value else value

    def _text(self, value: str) -> Any:
        cell = WriteOnlyCell(self._sheet, value)
        cell.data_type = "s"  # text that begins like a formula would become one
        cell.number_format = TEXT
        if value.startswith(STARTS_FORMULA):
            cell.quotePrefix = True
        return cell


class CsvOut:
    """The catalogue as UTF-8 CSV with a byte order mark, for spreadsheets."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._csv = csv.writer(self._file)
        self._csv.writerow([column.name for column in COLUMNS])

    def write(self, records: Iterable[SkuRecord]) -> None:
        for record in records:
            self._csv.writerow([_quoted(value) for value in _values(record)])

    def close(self) -> None:
        self._file.close()


def _values(record: SkuRecord) -> Sequence[str | int | None]:
    whole = record.model_dump(mode="json")
    return [_plain(_at(whole, column.path)) for column in COLUMNS]


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = None if value is None else value[name]
    return value


def _plain(value: Any) -> str | int | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else value


def _quoted(value: str | int | None) -> str | int | None:
    return f"'{value}" if isinstance(value, str) and value.startswith(STARTS_FORMULA) else value


def _choices(column: SheetColumn) -> tuple[str, ...]:
    if column.kind == "flag":
        return ("yes", "no")
    return CustomsMode.__args__ if column.name == "customs" else ()  # type: ignore[attr-defined]
