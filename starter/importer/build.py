"""Rows of one order → one `StartOrder`, or the reasons why not. Pure: rows and mapping in, order or faults out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from domain.order import StartOrder
from domain.reading.cleaning import clean_code, clean_number, clean_quantity, exact_phone
from domain.strict import faults
from starter.importer.cells import Cells, UnreadableCell
from starter.importer.mapping import ImportMapping
from starter.importer.numbers import BadNumber, line_price, quantity, whole
from starter.importer.report import OrderReport, RefusedField, Rounding
from starter.importer.table import TableRow


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
                cells = Cells(row, key, draft, rounded=self.mapping.rounded == "accept")
                head = self._head(cells)
                heads.append((row.number, head))
                lines.append(self._line(cells, f"L{len(lines) + 1}", head["currency"]))
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

    def _head(self, cells: Cells) -> dict[str, Any]:
        order = self.mapping.order
        return {
            "order_no": cells.number(order.order_no),
            "channel": cells.text(order.channel, clean_code),
            "channel_order_no": cells.number(order.channel_order_no),
            "kind": cells.text(order.kind),
            "currency": cells.text(order.currency, clean_code),
            "placed_at": self.placed_at or cells.moment(order.placed_at),
            "buyer": {"buyer_id": cells.number(order.buyer_id)},
            "address": cells.all(order.address, postcode=clean_code, country=clean_code, phone=exact_phone),
        }

    def _line(self, cells: Cells, line_id: str, currency: str | None) -> dict[str, Any]:
        line, draft = self.mapping.line, cells.draft
        qty = quantity(cells.needed(line.qty, clean_quantity))
        price = line_price(cells.needed(line.total, lambda text: clean_number(text, currency or "")), qty)
        if price.rounded_from:
            draft.roundings.append(
                Rounding(
                    row=cells.row.number, order=cells.order, total=price.rounded_from, total_minor=price.total_minor
                )
            )
        draft.remainder_minor += price.discount_minor
        weight = cells.text(line.weight_g, clean_quantity) if line.weight_g else None
        return {
            "line_id": line_id,
            "sku": cells.sku(line.sku),
            "name": cells.text(line.name) if line.name else None,
            "qty": qty,
            "unit_price_minor": price.unit_price_minor,
            "discount_minor": price.discount_minor,
            "weight_g": whole(weight, "weight") if weight else 0,
            "tags": cells.all(line.tags) if line.tags else None,
        }


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
