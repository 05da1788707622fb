"""`oms catalog`: what is known of SKUs, for order lines that bring no tags, for parcels and for customs."""

from pathlib import Path
from typing import Annotated

import typer

from domain.catalog.records import SkuRecord
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, run, say
from starter.cli.options import By, Json, Limit, actor
from starter.cli.progress import progress
from starter.clients.catalog import CatalogClient, CatalogResult
from starter.importer.catalogue import count_rows, rows_of
from starter.importer.catalogue_out import CsvOut, WorkbookOut, write_template
from starter.importer.table import UnableToImport
from starter.text.marking import N_

SHOWN = 30
"""Faults listed for people; --json has all."""
PAGE = 1_000

File = Annotated[
    Path,
    typer.Argument(
        help=".xlsx or .csv whose first row names the columns (`oms catalog template`), or .jsonl of a system."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check the file and tell what would change.")]


def import_file(file: File, dry_run: DryRun = False, by: By = None, json: Json = False) -> None:
    """Add SKUs or change them from a file. Good rows go in, bad rows are told with column and advice (exit code 1).

    A column that the file does not have keeps its values; an empty cell takes the default. Formulas are not read.

    Examples:

        oms catalog import skus.xlsx --dry-run

        oms catalog import examples/catalog.csv
    """
    _carry_out(file, dry_run, by, json)


def put(file: File, dry_run: DryRun = False, by: By = None, json: Json = False) -> None:
    """The same as `oms catalog import`.

    Example: oms catalog put examples/catalog.csv
    """
    _carry_out(file, dry_run, by, json)


def _carry_out(file: Path, dry_run: bool, by: str | None, json: bool) -> None:
    result = run(_import(file, dry_run, by, json))
    if json:
        output.as_json(result)
    else:
        _show(result)
    if result.bad:
        raise typer.Exit(CommandFailed.code)


async def _import(file: Path, dry_run: bool, by: str | None, quiet: bool) -> CatalogResult:
    who = actor(by)
    try:
        rows = rows_of(file)
        with progress("SKUs", count_rows(file), quiet=quiet) as done:
            async with database() as pool:
                return await CatalogClient(pool).put_numbered(
                    rows, who, source=file.name, dry_run=dry_run, progress=done
                )
    except UnableToImport as e:
        raise BadInput(str(e)) from None


def _show(result: CatalogResult) -> None:
    would = "would be " if result.dry_run else ""
    output.line(
        f"{result.rows} rows: {result.added} SKUs {would}added, {result.changed} {would}changed, "
        f"{result.unchanged} as they were, {result.bad_rows} rows refused."
    )
    if result.bad:
        rows = [(b.row, b.sku, b.column, b.reason, b.advice) for b in result.bad[:SHOWN]]
        output.table("Refused", ("row", "sku", "column", "what is wrong", "what belongs there"), rows)
    if len(result.bad) > SHOWN:
        say(f"Only the first {SHOWN} of {len(result.bad)} faults are shown; --json has all.")


def template(
    file: Annotated[Path, typer.Argument(help="Where to write it; must not exist yet.")] = Path("catalogue.xlsx"),
    json: Json = False,
) -> None:
    """Write an empty workbook to fill in: header, notes in Chinese and English, cells formatted as text.

    Example: oms catalog template catalogue.xlsx
    """
    run(_template(file))
    if json:
        output.as_json({"file": str(file)})
    else:
        output.line(f"{file} is ready to be filled in; check it with `oms catalog import {file} --dry-run`.")


async def _template(file: Path) -> None:
    target = _new_file(file, (".xlsx",))
    try:
        write_template(target)
    except OSError as e:
        raise CommandFailed(f"{file} cannot be written: {e.strerror}.") from None


def export(
    file: Annotated[Path, typer.Argument(help=".xlsx or .csv to write; must not exist yet.")],
    json: Json = False,
) -> None:
    """Write the whole catalogue into a file that can be imported again.

    Example: oms catalog export skus.xlsx
    """
    count = run(_export(file, json))
    if json:
        output.as_json({"file": str(file), "skus": count})
    else:
        output.line(f"{count} SKUs written to {file}.")


async def _export(file: Path, quiet: bool) -> int:
    target = _new_file(file, (".xlsx", ".csv"))
    count, after = 0, ""
    try:
        out: WorkbookOut | CsvOut = CsvOut(target) if target.suffix.lower() == ".csv" else WorkbookOut(target)
        with progress("SKUs", None, quiet=quiet) as done:
            async with database() as pool:
                while page := await CatalogClient(pool).page(PAGE, after):
                    out.write(page)
                    count, after = count + len(page), page[-1].sku
                    done(count)
        out.close()
    except OSError as e:
        raise CommandFailed(f"{file} cannot be written: {e.strerror}.") from None
    return count


def _new_file(file: Path, endings: tuple[str, ...]) -> Path:
    if file.suffix.lower() not in endings:
        raise BadInput(f"{file} must end in {' or '.join(endings)}; nothing was written.")
    if file.exists():
        raise BadInput(f"{file} exists already; remove it or name another one.")
    return file


def show(sku: Annotated[str, typer.Argument(help="The SKU.")], json: Json = False) -> None:
    """Show what is known of one SKU.

    Example: oms catalog show MUG-RED
    """
    found = run(_one(sku))
    if json:
        output.as_json(found)
        return
    size, tax = found.size, found.tax
    output.facts(
        [
            ("sku", found.sku),
            ("name 名称", found.name),
            ("ship from 发货仓", ", ".join(found.ship_from) or N_("untagged: an order with it needs a person")),
            ("supplier 供应商", found.supplier),
            ("logistics 物流类型", found.logistics),
            ("customs 报关方式", found.customs),
            ("weight 重量", f"{found.weight_g} g" if found.weight_g is not None else None),
            ("size 尺寸", f"{size.length_mm} × {size.width_mm} × {size.height_mm} mm" if size else None),
            ("battery 含电池", N_("yes") if found.battery else N_("no")),
            ("hazard 危险品", N_("yes") if found.hazard else N_("no")),
            ("tax 税", ", ".join(f"{k} {v}" for k, v in tax.model_dump().items() if v is not None) or None),
        ]
    )


async def _one(sku: str) -> SkuRecord:
    async with database() as pool:
        found = await CatalogClient(pool).get(sku.replace("\x00", ""))
    if found is None:
        raise CommandFailed(f"the catalogue does not know {sku}; add it with `oms catalog import`.")
    return found


def list_skus(
    after: Annotated[str, typer.Option("--after", help="Start after this SKU.")] = "",
    untagged: Annotated[bool, typer.Option("--untagged", help="Only SKUs without a warehouse to ship from.")] = False,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List the catalogue by SKU.

    Example: oms catalog list --limit 20
    """
    found = run(_list(after, limit, untagged))
    if json:
        output.as_json(found)
    else:
        columns = ("sku", "name", "ship from", "supplier", "logistics", "customs", "g", "battery", "hazard")
        rows = [
            (e.sku, e.name, ", ".join(e.ship_from), e.supplier, e.logistics, e.customs, e.weight_g, *_flags(e))
            for e in found
        ]
        output.table("Catalogue", columns, rows)


async def _list(after: str, limit: int, untagged: bool) -> tuple[SkuRecord, ...]:
    async with database() as pool:
        return await CatalogClient(pool).page(limit, after, untagged=untagged)


def _flags(record: SkuRecord) -> tuple[str, str]:
    return (N_("yes") if record.battery else "", N_("yes") if record.hazard else "")
