"""Rows of one order → one `StartOrder`, or the reasons why not. Pure: rows and mapping in, order or faults out.

Of an order that is paid already, its payment too: the order is started as one whose payment is made elsewhere, with
time for finance to look at the evidence, and the payment is told of once it is in the books.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from domain.access.desk import TellPayment
from domain.order import PaymentTerms, StartOrder
from domain.reading.cleaning import clean_code, clean_number, clean_quantity, exact_phone
from domain.strict import faults
from starter.importer.cells import Cells, UnreadableCell
from starter.importer.mapping import ImportMapping
from starter.importer.numbers import BadNumber, line_price, quantity, whole
from starter.importer.report import OrderReport, Ready, RefusedField, Rounding
from starter.importer.table import TableRow

PROVEN_WITHIN = timedelta(days=7)
"""An order that is said to be paid waits so long for finance; then its channel is asked, and it is closed as unpaid."""


@dataclass(frozen=True, slots=True)
class Builder:
    mapping: ImportMapping
    now: datetime
    placed_at: datetime | None = None
    """Overrides the mapping's `placed_at` (aware): old data played as new orders."""

    def build(self, key: str, rows: list[TableRow], draft: OrderReport) -> Ready | None:
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
        ready = self._order(key, heads[0][1], lines, draft)
        return None if ready is None else Ready(ready[0], tuple(row.number for row in rows), ready[1])

    def _order(
        self, key: str, head: dict[str, Any], lines: list[dict[str, Any]], draft: OrderReport
    ) -> tuple[StartOrder, TellPayment | None] | None:
        payable = sum(x["qty"] * x["unit_price_minor"] - x["discount_minor"] for x in lines)
        said = head.pop("paid")
        try:
            paid, terms = self._paid(key, head, payable, said) if said else (None, self.mapping.payment)
            return StartOrder.model_validate(
                {**head, "lines": tuple(lines), "payable_minor": payable, "payment": terms}
            ), paid
        except ValidationError as e:
            why = faults(e).splitlines()
        except BadNumber as e:
            why = [str(e)]
        draft.refusals += [RefusedField(row=None, order=key, reason=fault) for fault in why]
        return None

    def _paid(
        self, key: str, head: dict[str, Any], payable: int, said: dict[str, Any]
    ) -> tuple[TellPayment, PaymentTerms]:
        """Raises `BadNumber`, `ValidationError`."""
        amount = said.pop("amount")
        if amount is not None and amount != payable:
            was, is_ = Decimal(amount) / 100, Decimal(payable) / 100
            raise BadNumber(f"{was} was paid, order {key} costs {is_}")
        paid = TellPayment.model_validate(
            {**said, "order_no": head["order_no"], "amount_minor": payable, "currency": head["currency"]}
        )
        return paid, PaymentTerms(channel=paid.channel, method="external", deadline=self.now + PROVEN_WITHIN)

    def _head(self, cells: Cells) -> dict[str, Any]:
        order = self.mapping.order
        currency = cells.text(order.currency, clean_code)
        return {
            "order_no": cells.number(order.order_no),
            "channel": cells.text(order.channel, clean_code),
            "channel_order_no": cells.number(order.channel_order_no),
            "kind": cells.text(order.kind),
            "currency": currency,
            "placed_at": self.placed_at or cells.moment(order.placed_at),
            "buyer": {"buyer_id": cells.number(order.buyer_id)},
            "address": cells.all(order.address, postcode=clean_code, country=clean_code, phone=exact_phone),
            "paid": self._said(cells, currency or ""),
        }

    def _said(self, cells: Cells, currency: str) -> dict[str, Any] | None:
        """None: nobody says that it is paid."""
        paid = self.mapping.paid
        transaction = cells.number(paid.transaction_id) if paid else None
        if paid is None or not transaction:
            return None
        amount = cells.text(paid.amount, lambda text: clean_number(text, currency)) if paid.amount else None
        return {
            "transaction_id": transaction,
            "merchant_id": cells.needed(paid.merchant_id, clean_code),
            "channel": cells.needed(paid.channel, clean_code),
            "paid_at": cells.moment(paid.paid_at),
            "evidence": cells.needed(paid.evidence),
            "amount": line_price(amount, 1).total_minor if amount else None,
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
