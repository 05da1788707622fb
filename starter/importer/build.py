"""Rows of one order → one `StartOrder`, or the reasons why not. Pure: rows and mapping in, order or faults out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from domain.order import StartOrder
from domain.strict import Strict, faults
from starter.importer.mapping import Cell, DateCell, ImportMapping
from starter.importer.numbers import BadNumber, line_price, quantity, whole
from starter.importer.report import OrderReport, RefusedField, Rounding
from starter.importer.table import TableRow


class UnreadableCell(ValueError):
    """A cell that cannot be used; the text names its column."""


@dataclass(frozen=True, slots=True)
class Builder:
    mapping: ImportMapping
    placed_at: datetime | None = None
    """Overrides the mapping's `placed_at` (aware): old data played as new orders."""

    def build(self, key: str, rows: list[TableRow], draft: OrderReport) -> StartOrder | None:
        """The order, or None with at least one refusal in `draft`. One bad row refuses the order whole."""
        heads: list[tuple[int, dict[str, Any]]] = []
        lines: list[dict[str, Any]] = []
        for row in rows:
            try:
                if row.fault:
                    raise UnreadableCell(row.fault)
                heads.append((row.number, self._head(row)))
                lines.append(self._line(row, f"L{len(lines) + 1}", key, draft))
            except (UnreadableCell, BadNumber) as e:
                draft.refusals.append(RefusedField(row=row.number, order=key, reason=str(e)))
        draft.refusals += _disagreements(key, heads)
        if draft.refusals:
            return None
        return self._order(key, heads[0][1], lines, draft)

    def _order(
        self, key: str, head: dict[str, Any], lines: list[dict[str, Any]], draft: OrderReport
    ) -> StartOrder | None:
        payable = sum(x["qty"] * x["unit_price_minor"] - x["discount_minor"] for x in lines)
        try:
            return StartOrder.model_validate(
                {**head, "lines": tuple(lines), "payable_minor": payable, "payment": self.mapping.payment}
            )
        except ValidationError as e:
            draft.refusals += [RefusedField(row=None, order=key, reason=fault) for fault in faults(e).splitlines()]
            return None

    def _head(self, row: TableRow) -> dict[str, Any]:
        cells = self.mapping.order
        head: dict[str, Any] = {name: text(getattr(cells, name), row) for name in _HEAD}
        head["placed_at"] = self.placed_at or moment(cells.placed_at, row)
        head["buyer"] = {"buyer_id": text(cells.buyer_id, row)}
        head["address"] = texts(cells.address, row)
        return head

    def _line(self, row: TableRow, line_id: str, key: str, draft: OrderReport) -> dict[str, Any]:
        cells = self.mapping.line
        qty = quantity(needed(cells.qty, row))
        price = line_price(needed(cells.total, row), qty)
        if price.rounded_from:
            draft.roundings.append(
                Rounding(row=row.number, order=key, total=price.rounded_from, total_minor=price.total_minor)
            )
        draft.remainder_minor += price.discount_minor
        weight = text(cells.weight_g, row) if cells.weight_g else None
        return {
            "line_id": line_id,
            "sku": needed(cells.sku, row),
            "name": text(cells.name, row) if cells.name else None,
            "qty": qty,
            "unit_price_minor": price.unit_price_minor,
            "discount_minor": price.discount_minor,
            "weight_g": whole(weight, "weight") if weight else 0,
            "tags": texts(cells.tags, row) if cells.tags else None,
        }


_HEAD = ("order_no", "channel", "channel_order_no", "kind", "currency")


def text(cell: Cell, row: TableRow) -> str | None:
    """The cell's text, trimmed and translated; None only for an empty optional cell. Raises `UnreadableCell`."""
    if cell.const is not None:
        return cell.const
    if cell.column is not None:
        found, where = row.cells.get(cell.column, "").strip(), f"column {cell.column!r}"
    else:
        places = {c: row.cells.get(c, "").strip() for c in cell.columns()}
        empty = [c for c, v in places.items() if not v]
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


def needed(cell: Cell, row: TableRow) -> str:
    found = text(cell, row)
    if found is None:
        raise UnreadableCell(f"column {cell.column!r} is empty")
    return found


def texts(cells: Strict, row: TableRow) -> dict[str, str | None]:
    """All cells of an address or of tags by field name."""
    return {name: text(cell, row) for name in type(cells).model_fields if (cell := getattr(cells, name)) is not None}


def moment(cell: DateCell, row: TableRow) -> datetime:
    raw = row.cells.get(cell.column, "").strip()
    try:
        when = datetime.strptime(raw, cell.format)  # noqa: DTZ007 - its zone is set below
    except ValueError:
        raise UnreadableCell(f"column {cell.column!r}: {raw[:30]!r} is not a date like {cell.format}") from None
    return when if when.tzinfo else when.replace(tzinfo=ZoneInfo(cell.zone))


def _filled(template: str, places: dict[str, str]) -> str:
    for column, value in places.items():
        template = template.replace("{" + column + "}", value)
    return template


def _disagreements(key: str, heads: list[tuple[int, dict[str, Any]]]) -> list[RefusedField]:
    """Rows of one order that differ in a field of the order: mixed customers, addresses, dates."""
    found = []
    for number, head in heads[1:]:
        first, other = heads[0]
        differs = [name for name in other if head[name] != other[name]]
        if differs:
            reason = f"{', '.join(differs)} differ from row {first} of the same order"
            found.append(RefusedField(row=number, order=key, reason=reason))
    return found
