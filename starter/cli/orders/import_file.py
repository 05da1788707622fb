"""`oms order import`: orders from a CSV or .xlsx file by a mapping; look first, then write them out or start them."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from domain.order import StartOrder
from starter.cli import output
from starter.cli.connections import order_client
from starter.cli.desk import at_desk
from starter.cli.errors import BadInput, CommandFailed, run, say
from starter.cli.options import By, Json, actor
from starter.cli.text import money
from starter.clients.errors import DuplicateOrder, OrderError
from starter.clients.orders import OrderClient
from starter.importer.mapping import MappingRefused, load_mapping
from starter.importer.report import Ready, Report
from starter.importer.run import Import
from starter.importer.table import UnableToImport

AT_ONCE = 8
"""Starts under way at the same time: enough to hide the round trip, few enough for a small server."""
SHOWN = 20
"""Roundings and refusals listed for people; --json has all."""


class NotStarted(BaseModel):
    order_no: str
    rows: tuple[int, ...]
    reason: str


class ImportOutcome(BaseModel):
    """The report of an import with what became of its orders."""

    report: Report
    written: list[str] = []
    started: list[str] = []
    not_started: list[NotStarted] = []
    told: list[str] = []
    """Orders about whose payment finance is asked."""


def import_file(
    file: Annotated[Path, typer.Argument(help="The file, CSV or .xlsx.")],
    mapping: Annotated[Path, typer.Option("--mapping", help="Which column feeds which field (YAML).")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report; start and write nothing.")] = False,
    start: Annotated[bool, typer.Option("--start", help="Start every good order.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write every good order as JSON into this folder.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Stop after so many good orders.")] = None,
    placed_now: Annotated[
        bool, typer.Option("--placed-now", help="Take now as placing time (old data played as new orders).")
    ] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Import orders from CSV or .xlsx: totals rounded once, every rounding and refused row told, never half an order.

    Where the mapping says that orders are paid at their channel already, finance is asked about each payment.

    Exit code 0 when every order of the file went in, 1 when some were refused, 2 when the file is unusable.

    Examples:

        oms order import examples/superstore-40.csv --mapping examples/superstore.mapping.yaml --dry-run

        oms order import orders.csv --mapping shop.yaml --out build/orders

        oms order import examples/superstore-40.csv --mapping examples/superstore.mapping.yaml --start --placed-now
    """
    run(_import(file, mapping, _Ways(dry_run, start, out, by), limit, placed_now, json))


class _Ways:
    """What to do with good orders; exactly one of the three."""

    def __init__(self, dry_run: bool, start: bool, out: Path | None, by: str | None) -> None:
        if (dry_run, start, out is not None).count(True) != 1:
            raise typer.BadParameter("say what to do with the orders: one of --dry-run, --start, --out FOLDER")
        self.start, self.out, self.by = start, out, by


async def _import(file: Path, mapping: Path, ways: _Ways, limit: int | None, placed_now: bool, json: bool) -> None:
    try:
        job = Import(file, load_mapping(mapping), placed_at=datetime.now(UTC) if placed_now else None)
        outcome = ImportOutcome(report=job.report)
        await _carry_out(islice(job, limit), ways, outcome)
    except (MappingRefused, UnableToImport) as e:
        raise BadInput(str(e)) from None
    if json:
        output.as_json(outcome)
    else:
        _show(file, outcome)
    lost = outcome.report.orders_refused + len(outcome.not_started)
    if lost or outcome.report.refusals:
        raise CommandFailed(
            f"{lost} orders and {_rows(outcome.report)} rows of {file} did not go in; correct and import them again."
        )


async def _carry_out(orders: Iterable[Ready], ways: _Ways, outcome: ImportOutcome) -> None:
    if ways.start:
        async with order_client() as client:
            await _start_all(client, orders, ways.by, outcome)
    elif ways.out is not None:
        _write_all(ways.out, orders, outcome)
    else:
        for _ in orders:
            pass


async def _start_all(client: OrderClient, orders: Iterable[Ready], by: str | None, outcome: ImportOutcome) -> None:
    """Start orders, `AT_ONCE` at a time, reading the file only as fast as they start. Of one that is there already and
    is said to be paid, its payment is told all the same: an import that broke off is sent again."""
    source = iter(orders)

    async def one_after_another() -> None:
        for ready in source:
            try:
                try:
                    await client.start(ready.order)
                    outcome.started.append(ready.order.order_no)
                except DuplicateOrder:
                    if ready.paid is None:
                        raise
                if ready.paid is not None:
                    await at_desk(ready.paid, actor(by), None)
                    outcome.told.append(ready.order.order_no)
            except OrderError as e:
                outcome.not_started.append(NotStarted(order_no=ready.order.order_no, rows=ready.rows, reason=str(e)))

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


def _write_all(folder: Path, orders: Iterable[Ready], outcome: ImportOutcome) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ready in orders:
            # The order number has been validated: letters, digits, _ and - only, so it cannot leave the folder.
            path = folder / f"{ready.order.order_no}.json"
            path.write_text(_text(ready.order), encoding="utf-8")
            outcome.written.append(str(path))
    except OSError as e:
        raise CommandFailed(
            f"orders cannot be written to {folder}: {e.strerror}; {len(outcome.written)} are."
        ) from None


def _text(order: StartOrder) -> str:
    return order.model_dump_json(indent=2, exclude_none=True) + "\n"


def _show(file: Path, outcome: ImportOutcome) -> None:
    report = outcome.report
    output.facts(
        [
            ("file", f"{file} ({report.encoding.removesuffix('-sig')})"),
            ("rows", report.rows),
            ("good orders", f"{report.orders_ready} with {report.lines} lines"),
            ("sum", ", ".join(money(minor, currency) for currency, minor in report.totals_minor.items())),
            ("refused orders", report.orders_refused),
            ("roundings", len(report.roundings)),
            ("carried by line discounts", f"{report.remainder_minor} fen"),
            ("paid at the channel already", report.paid or None),
            ("started", len(outcome.started) or None),
            ("finance is asked about their payments", len(outcome.told) or None),
            ("written", len(outcome.written) or None),
        ]
    )
    rounded = [(r.row, r.order, r.total, r.total_minor) for r in report.roundings[:SHOWN]]
    refused = [(r.row, r.order, r.reason) for r in report.refusals[:SHOWN]]
    left = [(n.order_no, n.reason) for n in outcome.not_started[:SHOWN]]
    output.table("Rounded", ("row", "order", "from", "to fen"), rounded)
    if report.cleaned:
        cleaned = [(c.row, c.order, c.column, repr(c.was), c.now) for c in report.cleaned[:SHOWN]]
        output.table("Made plain", ("row", "order", "column", "was", "is"), cleaned)
    output.table("Refused", ("row", "order", "reason"), refused)
    if left:
        output.table("Not started", ("order", "reason"), left)
    lists = (report.roundings, report.refusals, report.cleaned, outcome.not_started)
    if any(len(each) > SHOWN for each in lists):
        say(f"Only the first {SHOWN} of each list are shown; --json has all.")


def _rows(report: Report) -> int:
    return len({r.row for r in report.refusals if r.row is not None})
