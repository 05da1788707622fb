"""Typed client of the catalogue, for master-data systems in Python, the CLI and the console (R26).

Rows are checked one by one by the same rules, wherever they come from: good rows go in, bad ones are told with column
and advice. Sending the same batch again changes nothing and is not audited twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from domain.catalog.records import SkuRecord
from domain.catalog.rows import BadRow, Cell, RowFault, record, sku_of
from domain.strict import Strict
from store.pool import Pool
from store.stock.catalog import CatalogStore, Put

BATCH = 1_000
"""Rows of one transaction."""


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """`number`: as the sender counts; in a file the header is row 1. `faults`: what reading it has found already."""

    number: int
    cells: Mapping[str, Cell]
    faults: tuple[RowFault, ...] = ()


class CellError(Strict):
    """One thing that is wrong with one row; the row did not go in."""

    row: int
    sku: str
    column: str
    reason: str
    advice: str


class CatalogResult(Strict):
    """What became of some rows. `put`: what went in, `added` + `changed` + `unchanged` unless it was a dry run."""

    rows: int
    good: int
    bad_rows: int
    put: int
    added: int
    changed: int
    unchanged: int
    dry_run: bool
    bad: tuple[CellError, ...]


@dataclass
class _Tally:
    rows: int = 0
    put: Put = field(default_factory=Put)
    bad: list[CellError] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    """The row that a SKU first stood in."""

    def result(self, dry_run: bool) -> CatalogResult:
        bad_rows = len({cell.row for cell in self.bad})
        good = self.rows - bad_rows
        return CatalogResult(
            rows=self.rows,
            good=good,
            bad_rows=bad_rows,
            put=0 if dry_run else good,
            added=self.put.added,
            changed=self.put.changed,
            unchanged=self.put.unchanged,
            dry_run=dry_run,
            bad=tuple(self.bad),
        )


class CatalogClient:
    """The catalogue by SKU."""

    def __init__(self, pool: Pool) -> None:
        self._store = CatalogStore(pool)

    async def put(
        self, rows: Iterable[Mapping[str, Cell]], by: str, *, source: str = "", dry_run: bool = False
    ) -> CatalogResult:
        """Add or change SKUs; rows are counted from 1. A key that a row lacks keeps its value, an empty one is cleared.

        `by`: who is responsible; `source`: where it comes from. Both go into the audit.
        """
        numbered = (NumberedRow(n, cells) for n, cells in enumerate(rows, start=1))
        return await self.put_numbered(numbered, by, source=source, dry_run=dry_run)

    async def put_numbered(
        self,
        rows: Iterable[NumberedRow],
        by: str,
        *,
        source: str = "",
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> CatalogResult:
        """As `put`, for rows that bring their numbers; `progress` is told how many rows are done."""
        tally, source_rows = _Tally(), iter(rows)
        while batch := list(islice(source_rows, BATCH)):
            tally.rows += len(batch)
            good = await self._good(batch, tally)
            if dry_run:
                tally.put += await self._would(good)
            else:
                tally.put += await self._store.put(good, by, datetime.now(UTC), source)
            progress(tally.rows)
        return tally.result(dry_run)

    async def checked(self, rows: Iterable[NumberedRow]) -> tuple[tuple[SkuRecord, ...], CatalogResult]:
        """Good records, for who puts them otherwise than by this client, and what would become of all rows."""
        tally, source_rows = _Tally(), iter(rows)
        good: list[SkuRecord] = []
        while batch := list(islice(source_rows, BATCH)):
            tally.rows += len(batch)
            these = await self._good(batch, tally)
            tally.put += await self._would(these)
            good += these
        return tuple(good), tally.result(dry_run=True)

    async def get(self, sku: str) -> SkuRecord | None:
        return (await self._store.get([sku])).get(sku)

    async def page(self, limit: int = 100, after: str = "", *, untagged: bool = False) -> tuple[SkuRecord, ...]:
        """One page in order of SKU; the next one starts after the last SKU of this one."""
        return await self._store.list(limit, after, untagged=untagged)

    async def _good(self, batch: list[NumberedRow], tally: _Tally) -> list[SkuRecord]:
        known = await self._store.get(filter(None, (_plain(row) for row in batch)))
        good: list[SkuRecord] = []
        for row in batch:
            sku = _plain(row)
            faults = (*row.faults, *_twice(tally.seen, sku, row.number))
            try:
                if not faults:
                    good.append(record(row.cells, known.get(sku)))
            except BadRow as error:
                faults = error.faults
            tally.bad += (_bad(row.number, sku, fault) for fault in faults)
        return good

    async def _would(self, good: list[SkuRecord]) -> Put:
        known = await self._store.get(r.sku for r in good)
        added = sum(r.sku not in known for r in good)
        unchanged = sum(known.get(r.sku) == r for r in good)
        return Put(added, len(good) - added - unchanged, unchanged)


def _plain(row: NumberedRow) -> str:
    return sku_of(row.cells).replace("\x00", "")


def _twice(seen: dict[str, int], sku: str, number: int) -> Iterator[RowFault]:
    first = seen.setdefault(sku, number)
    if sku and first != number:
        yield RowFault(column="sku", reason=f"stands in row {first} too", advice="keep one of the rows")


def _bad(number: int, sku: str, fault: RowFault) -> CellError:
    return CellError(row=number, sku=sku[:64], column=fault.column, reason=fault.reason, advice=fault.advice)
