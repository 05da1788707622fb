"""`oms report ocel`: a month's orders as an event log for process mining."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TextIO

import typer

from domain.insight.ocel import OcelLog
from domain.insight.periods import NoSuchPeriod, Span, month
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, run
from store.insight.lives import LifeReader

Month = Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Of the orders placed in it.")]
Target = Annotated[
    Path, typer.Option("--out", help="The file; one that is there is replaced when the new one is whole.")
]


def ocel(of: Month, out: Target) -> None:
    """Write the orders of a month as an OCEL 2.0 event log (JSON), with all that became of them until now.

    Example: oms report ocel --month 2026-10 --out october.json
    """
    try:
        span = month(of)
    except NoSuchPeriod as error:
        raise BadInput(f"{error}; nothing was written.") from None
    log = run(_write(span, out))
    output.line(f"{span.name}: {log.events} events of {log.objects} objects are in {out}.")


async def _write(span: Span, out: Path) -> OcelLog:
    log = OcelLog()
    async with database() as pool:
        with _whole(out) as file:
            file.write(log.begin())
            async for life in LifeReader(pool).placed_in(span):
                file.write(log.add(life))
            file.write(log.end())
    return log


@contextlib.contextmanager
def _whole(out: Path) -> Iterator[TextIO]:
    """Beside it until it is whole: who finds the file finds all of it, or the one before. Raises `CommandFailed`."""
    try:
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}-")
    except OSError as error:
        raise CommandFailed(f"{out} cannot be written: {error.strerror}; nothing was.") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
        Path(name).replace(out)
    except (ConnectionError, TimeoutError):  # of the database, while it is read
        raise
    except OSError as error:
        raise CommandFailed(f"{out} cannot be written: {error.strerror}; nothing was.") from None
    finally:
        Path(name).unlink(missing_ok=True)
