"""`oms audit`: who did what, whether the log is whole, and the log as a file for others."""

import csv
import json as jsonlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import typer

from config.settings import Settings, UnableToConfigure
from provider_clients import anchor_copies
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, run
from starter.cli.options import Json
from starter.cli.text import one_line
from starter.importer.catalogue_out import STARTS_FORMULA
from store.audit.anchor import Anchor, AnchorFile, ChainVerified, UnableToAnchor, judge
from store.audit.audit import AuditHead, AuditRow, AuditStore

Order = Annotated[str | None, typer.Option("--order", metavar="NUMBER", help="Only what was done to this order.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Only what this person or program did.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000, help="How many rows.")]
Before = Annotated[int | None, typer.Option("--before", metavar="ID", help="The page before this row.")]
Format = Annotated[Literal["csv", "jsonl"], typer.Option("--format", help="csv for a spreadsheet, jsonl for programs.")]
New = Annotated[
    bool, typer.Option("--new", help="Only the rows since the newest anchor; each anchor is still looked up.")
]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to; it must not exist yet.")]
COLUMNS = ("id", "at", "actor", "action", "order_no", "detail", "hash")


def list_entries(
    order: Order = None, actor: Actor = None, limit: Limit = 50, before: Before = None, json: Json = False
) -> None:
    """List who did what, newest first.

    Examples:

        oms audit list --order SO2603020001

        oms audit list --actor anna --json
    """

    async def rows() -> tuple[AuditRow, ...]:
        async with database() as pool:
            return await AuditStore(pool).list(order, actor, limit, before)

    found = run(rows())
    if json:
        output.as_json(found)
        return
    output.table(
        "Audit, newest first",
        ("id", "at", "who", "did", "order", "detail"),
        [(r.id, r.at, r.actor, r.action, r.order_no, jsonlib.dumps(r.detail, ensure_ascii=False)) for r in found],
    )


def verify(new: New = False, json: Json = False) -> None:
    """Check the whole log: no row changed, none missing, its end not cut off. Exit code 1 when something is wrong.

    Examples:

        oms audit verify

        oms audit verify --new

        oms audit verify --json
    """
    found, rows = run(_verify(new))
    if json:
        output.as_json({"rows": rows, "whole": not found.problems, **vars(found)})
    elif found.head is None:
        output.line("The log is empty.")
    else:
        output.line(f"{rows} rows; the last is {found.head.id} with hash {found.head.hash}.")
        tied = f"{found.anchors} anchors outside the database, the newest of row {found.anchored}."
        output.line(tied if found.anchors else "No anchor outside the database: a cut end would not show.")
        copied = f"{found.copies} copies of anchors elsewhere." if found.copies else "No copy of an anchor elsewhere."
        output.line(copied)
        for problem in found.problems:
            output.line(f"WRONG: {problem}")
        output.line("The log is NOT whole." if found.problems else "The log is whole.")
    if found.problems:
        raise typer.Exit(1)


async def _verify(new: bool) -> tuple[ChainVerified, int]:
    try:
        configured = Settings()
        settings = configured.audit
        key = settings.key.get_secret_value().encode() if settings else b""
        elsewhere = anchor_copies(configured.anchor_copy, key) if settings else None
    except UnableToConfigure as why:
        raise CommandFailed(f"the audit's anchor is not configured: {why}.") from None
    problems: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    copies: tuple[Anchor, ...] = ()
    async with database() as pool:
        audit = AuditStore(pool)
        # Copies and file first: what is anchored while we look is newer than the rows we read afterwards.
        try:
            if elsewhere is not None:
                copies, problems = await elsewhere.newest()
            if settings is not None:
                anchors, wrong = AnchorFile(Path(settings.file), key).read()
                problems += wrong
        except UnableToAnchor as why:
            problems += (str(why),)
        hashes = await audit.hashes([anchor.seq for anchor in (*anchors, *copies)])
        tied = [a for a in (*anchors, *copies) if new and hashes.get(a.seq) == a.hash]
        begin = max(tied, key=lambda anchor: anchor.seq, default=None)
        broken = await audit.broken_at(None if begin is None else AuditHead(begin.seq, begin.hash))
        found = judge(await audit.head(), broken, anchors, hashes, problems, copies)
        return found, await audit.count()


def export(out: Out, format: Format = "csv", order: Order = None) -> None:
    """Write the log to a file, oldest first, each row with its hash.

    Examples:

        oms audit export --out audit.csv

        oms audit export --format jsonl --order SO2603020001 --out audit.jsonl
    """
    count = run(_export(out, format, order))
    output.line(f"{count} rows in {out}.")


async def _export(out: Path, form: str, order: str | None) -> int:
    async with database() as pool, _opened(out) as file:
        write = _csv(file) if form == "csv" else _jsonl(file)
        count = 0
        async for row, digest in AuditStore(pool).export(order):
            write({**vars(row), "at": row.at.isoformat(), "hash": digest})
            count += 1
        return count


@asynccontextmanager
async def _opened(out: Path) -> AsyncIterator[TextIO]:
    try:
        file = out.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise CommandFailed(f"{out} exists already; name another file.") from None
    except OSError as error:
        raise CommandFailed(f"{out} cannot be written: {error.strerror}.") from None
    with file:
        yield file


def _csv(file: TextIO) -> Callable[[dict[str, Any]], None]:
    rows = csv.writer(file)
    rows.writerow(COLUMNS)

    def cell(value: Any) -> str:
        text = jsonlib.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value or "")
        text = one_line(text)
        return f"'{text}" if text.startswith(STARTS_FORMULA) else text

    return lambda row: rows.writerow([cell(row[name]) for name in COLUMNS])


def _jsonl(file: TextIO) -> Callable[[dict[str, Any]], None]:
    def write(row: dict[str, Any]) -> None:
        file.write(jsonlib.dumps(row, ensure_ascii=False) + "\n")

    return write
