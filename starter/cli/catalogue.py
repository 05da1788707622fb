"""`oms catalog`: tags by SKU, for order lines that bring none."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.catalog import SkuRecord
from starter.cli import output
from starter.cli.failing import BadInput, Failure, run
from starter.cli.options import By, Json, Limit, actor
from starter.cli.reach import database
from starter.importer.catalogue import BadRow, CatalogueRow, read_catalogue
from starter.importer.table import UnableToImport
from store.catalog import CatalogStore


def put(
    file: Annotated[
        Path, typer.Argument(help="CSV: sku, warehouse and, if wanted, name, supplier, logistics, customs.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Add SKUs or change their tags. Good rows go in, bad rows are told (exit code 1).

    Example: oms catalog put examples/catalog.csv
    """
    good, bad = run(_put(file, dry_run, by))
    if json:
        output.as_json({"put": 0 if dry_run else len(good), "good": len(good), "bad": bad})
    else:
        output.line(f"{len(good)} SKUs {'are fine' if dry_run else 'put'}, {len(bad)} rows refused.")
        if bad:
            output.table("Refused", ("row", "reason"), [(b.row, b.reason) for b in bad])
    if bad:
        raise typer.Exit(Failure.code)


async def _put(file: Path, dry_run: bool, by: str | None) -> tuple[list[CatalogueRow], list[BadRow]]:
    who = actor(by)
    try:
        good, bad = read_catalogue(file)
    except UnableToImport as e:
        raise BadInput(str(e)) from None
    if good and not dry_run:
        async with database() as pool:
            await CatalogStore(pool).put((_record(row) for row in good), who, datetime.now(UTC), file.name)
    return good, bad


def _record(row: CatalogueRow) -> SkuRecord:
    tags = row.tags.model_dump(exclude={"warehouse"})
    return SkuRecord.model_validate({"sku": row.sku, "name": row.name, "ship_from": (row.tags.warehouse,), **tags})


def list_skus(
    after: Annotated[str, typer.Option("--after", help="Start after this SKU.")] = "",
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List the catalogue by SKU.

    Example: oms catalog list --limit 20
    """
    found = run(_list(after, limit))
    if json:
        output.as_json(found)
    else:
        columns = ("sku", "name", "ship from", "supplier", "logistics", "customs")
        rows = [(e.sku, e.name, " ".join(e.ship_from), e.supplier, e.logistics, e.customs) for e in found]
        output.table("Catalogue", columns, rows)


async def _list(after: str, limit: int) -> tuple[SkuRecord, ...]:
    async with database() as pool:
        return await CatalogStore(pool).list(limit, after)
