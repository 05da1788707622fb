"""The import: a stream of good orders, and a report that accounts for every row."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from domain.reading.cleaning import Spoilt, clean_code
from starter.importer.build import Builder
from starter.importer.mapping import ImportMapping
from starter.importer.order_sheet import order_table
from starter.importer.report import OrderReport, Ready, RefusedField, Report
from starter.importer.table import TableRow

MAX_LINES = 10_000
"""`StartOrder` takes no more lines; rows beyond it are not even kept."""


def order_of(row: TableRow, column: str) -> str:
    """What makes rows one order, as reports name it. `column`: the mapping's `group_by`."""
    try:
        return clean_code(row.cells.get(column, ""))
    except Spoilt:  # the row is refused when its order is built
        return row.cells[column].strip()


class Import:
    """Orders of one file, CSV or .xlsx. Iterate once; `report` is complete when the iteration is.

    The file is read twice: first to count the rows of each order (so that an order whose rows stand apart is never
    started by half), then to build. Memory holds the open orders and one counter per order, not the file.
    Raises `UnableToImport` from the constructor when the file as a whole is unusable; nothing was built then.
    """

    def __init__(
        self, path: Path, mapping: ImportMapping, *, now: datetime | None = None, placed_at: datetime | None = None
    ) -> None:
        """`placed_at`: instead of what the file says."""
        self._table = order_table(
            path, mapping.columns(), mapping.dates(), encoding=mapping.encoding, delimiter=mapping.delimiter
        )
        self._group = mapping.order.group_by
        self._builder = Builder(mapping, now or datetime.now(UTC), placed_at)
        self._left = Counter(self._key(row) for row in self._table.rows())
        self._seen: set[str] = set()
        self._paid_with: dict[tuple[str, str], str] = {}
        """Order by payment channel and transaction."""
        self.report = Report(encoding=self._table.encoding)

    def __iter__(self) -> Iterator[Ready]:
        waiting: dict[str, list[TableRow]] = {}
        for row in self._table.rows():
            self.report.rows += 1
            key = self._key(row)
            if not key:
                self._refuse(row.number, "", f"column {self._group!r} is empty, the row belongs to no order")
                continue
            rows = waiting.setdefault(key, [])
            if len(rows) <= MAX_LINES:
                rows.append(row)
            self._left[key] -= 1
            if self._left[key] == 0:
                ready = self._close(key, waiting.pop(key))
                if ready is not None:
                    yield ready
        for key in waiting:
            self.report.orders_refused += 1
            self._refuse(None, key, "the file changed while it was read; import it again")

    def _key(self, row: TableRow) -> str:
        return order_of(row, self._group)

    def _close(self, key: str, rows: list[TableRow]) -> Ready | None:
        draft = OrderReport()
        ready = self._builder.build(key, rows, draft) if len(rows) <= MAX_LINES else None
        if len(rows) > MAX_LINES:
            draft.refusals.append(RefusedField(row=None, order=key, reason=f"more than {MAX_LINES} lines"))
        if ready is not None and (why := self._used_before(ready)):
            draft.refusals.append(RefusedField(row=None, order=key, reason=why))
            ready = None
        self.report.refusals += draft.refusals
        self.report.cleaned += draft.cleaned.values()
        if ready is None:
            self.report.orders_refused += 1
            return None
        return self._accept(ready, draft)

    def _used_before(self, ready: Ready) -> str:
        """By another order of this file; '' when not."""
        order, paid = ready.order, ready.paid
        if order.order_no in self._seen:
            return f"order number {order.order_no} was already used by another order of this file"
        other = self._paid_with.get((paid.channel, paid.transaction_id)) if paid else None
        if paid is not None and other is not None:
            return f"transaction {paid.transaction_id} pays order {other} of this file: one payment pays one order"
        return ""

    def _accept(self, ready: Ready, draft: OrderReport) -> Ready:
        order, report = ready.order, self.report
        self._seen.add(order.order_no)
        if ready.paid is not None:
            report.paid += 1
            self._paid_with[ready.paid.channel, ready.paid.transaction_id] = order.order_no
        report.orders_ready += 1
        report.lines += len(order.lines)
        report.totals_minor[order.currency] = report.totals_minor.get(order.currency, 0) + order.payable_minor
        report.remainder_minor += draft.remainder_minor
        report.roundings += draft.roundings
        return ready

    def _refuse(self, row: int | None, order: str, reason: str) -> None:
        self.report.refusals.append(RefusedField(row=row, order=order, reason=reason))
