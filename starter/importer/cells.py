"""Cells of one row by the mapping: cleaned as their kind asks for, what was changed noted, the lost refused."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.reading.cleaning import Spoilt, clean_code, clean_text, exact_code, exact_sku, unguarded
from domain.strict import Strict
from starter.importer.mapping import Cell, DateCell
from starter.importer.report import CleanedCell, OrderReport
from starter.importer.table import TableRow

Clean = Callable[[str], str]


class UnreadableCell(ValueError):
    """A cell that cannot be used; the text names its column."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row. `rounded`: numbers that look as if a spreadsheet had rounded them are accepted."""

    row: TableRow
    order: str
    draft: OrderReport
    rounded: bool = False

    def text(self, cell: Cell, clean: Clean | None = None) -> str | None:
        """The cell's text, cleaned and translated; None only for an empty optional cell. Raises `UnreadableCell`."""
        if cell.const is not None:
            return cell.const
        clean = clean or _wording
        if cell.column is not None:
            found, where = self._read(cell.column, clean), f"column {cell.column!r}"
        else:
            places = {column: self._read(column, clean) for column in cell.columns()}
            empty = [column for column, value in places.items() if not value]
            if empty:
                raise UnreadableCell(f"column {empty[0]!r} is empty")
            # Not str.format: it would read the text of a column name such as `a.b` as an attribute.
            found, where = _filled(cell.template or "", places), f"template {cell.template!r}"
        if not found:
            if cell.optional:
                return None
            raise UnreadableCell(f"{where} is empty")
        if cell.map is None:
            return found
        if found not in cell.map:
            raise UnreadableCell(f"{where}: {found[:40]!r} is not in the mapping's value map")
        return cell.map[found]

    def needed(self, cell: Cell, clean: Clean | None = None) -> str:
        found = self.text(cell, clean)
        if found is None:
            raise UnreadableCell(f"column {cell.column!r} is empty")
        return found

    def number(self, cell: Cell) -> str | None:
        """An order's number, exactly as it was; see `exact_code`."""
        return self.text(cell, clean_code if self.rounded else exact_code)

    def sku(self, cell: Cell) -> str:
        return self.needed(cell, clean_code if self.rounded else exact_sku)

    def all(self, cells: Strict, **cleans: Clean) -> dict[str, str | None]:
        """All cells of an address or of tags by field name."""
        fields = ((name, getattr(cells, name)) for name in type(cells).model_fields)
        return {name: self.text(cell, cleans.get(name)) for name, cell in fields if cell is not None}

    def moment(self, cell: DateCell) -> datetime:
        raw = self._read(cell.column, clean_code)
        try:
            when = datetime.strptime(raw, cell.format)  # noqa: DTZ007 - its zone is set below
        except ValueError:
            reason = f"column {cell.column!r}: {raw[:30]!r} is not a date like {cell.format}"
            raise UnreadableCell(reason) from None
        return when if when.tzinfo else when.replace(tzinfo=ZoneInfo(cell.zone))

    def _read(self, column: str, clean: Clean) -> str:
        given = self.row.cells.get(column, "")
        try:
            plain = clean(given)
        except Spoilt as spoilt:
            raise UnreadableCell(f"column {column!r}: {spoilt}") from None
        if plain != given.strip():
            # White space is the file's, not the value's. What is kept of personal data is on the sender's own screen.
            self.draft.cleaned[self.row.number, column] = CleanedCell(
                row=self.row.number, order=self.order, column=column, was=given[:80], now=plain[:80]
            )
        return plain


def _wording(found: str) -> str:
    return clean_text(unguarded(found))


def _filled(template: str, places: dict[str, str]) -> str:
    for column, value in places.items():
        template = template.replace("{" + column + "}", value)
    return template
