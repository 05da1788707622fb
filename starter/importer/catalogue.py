"""The catalogue file: `sku,warehouse[,name,supplier,logistics,customs]` as CSV; bad rows told, good rows kept (R26)."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from domain.order import Id, SkuTags, Text
from domain.strict import Strict, faults
from starter.importer.table import Table, UnableToImport

COLUMNS = ("sku", "name", "warehouse", "supplier", "logistics", "customs")
NEEDED = ("sku", "warehouse")


class CatalogueRow(Strict):
    """One SKU with the tags that splitting looks at."""

    sku: Id
    name: Text | None = None
    tags: SkuTags


@dataclass(frozen=True, slots=True)
class BadRow:
    row: int
    """As a spreadsheet counts: the header is row 1."""
    reason: str


def read_catalogue(path: Path) -> tuple[list[CatalogueRow], list[BadRow]]:
    """Good rows and bad rows. An empty cell takes the default; a SKU that comes twice is bad the second time.

    Raises `UnableToImport` when the file as a whole is unusable.
    """
    good: dict[str, CatalogueRow] = {}
    bad: list[BadRow] = []
    table = Table(path, NEEDED)
    unknown = [c for c in table.header if c not in COLUMNS]
    if unknown:
        raise UnableToImport(
            f"{path.name} has the unknown column {unknown[0]!r}; a catalogue has {', '.join(COLUMNS)}."
        )
    for row in table.rows():
        try:
            entry = _entry({k: v.strip() for k, v in row.cells.items() if v.strip()})
        except ValidationError as e:
            bad.append(BadRow(row.number, "; ".join(faults(e).splitlines())))
            continue
        if row.fault or entry.sku in good:
            bad.append(BadRow(row.number, row.fault or f"SKU {entry.sku} stands in an earlier row too"))
            continue
        good[entry.sku] = entry
    return list(good.values()), bad


def _entry(cells: dict[str, str]) -> CatalogueRow:
    own = {k: cells[k] for k in ("sku", "name") if k in cells}
    return CatalogueRow.model_validate({**own, "tags": {k: cells[k] for k in SkuTags.model_fields if k in cells}})
