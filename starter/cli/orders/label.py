"""`oms order label`: the waybill label of a parcel as a file for the printer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, fail, run
from starter.cli.options import By, Json, actor, sentence
from store.orders.labels import LabelStore, NoLabel, Printed, ReprintNeedsReason

Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to; it must not exist yet.")]
Reason = Annotated[
    str | None, typer.Option("--reason", help="Why it is printed again; needed from the second time on.")
]


def label(child_no: str, out: Out, reason: Reason = None, by: By = None, json: Json = False) -> None:
    """Write the label of a parcel to a file. Every copy is in the audit; a second one needs a reason.

    Examples:

        oms order label SO2603020001-01 --out label.pdf

        oms order label SO2603020001-01 --out again.pdf --reason "the printer jammed"
    """
    why = sentence("--reason", reason) if reason is not None else None
    printed = _write(child_no, out, why, actor(by))
    label = printed.label
    if json:
        output.as_json(
            {
                "child_no": child_no,
                "waybill_no": label.waybill_no,
                "carrier": label.carrier,
                "format": label.format,
                "copy": printed.copy,
                "file": str(out),
            }
        )
    else:
        number = f"{label.carrier} {label.waybill_no}"
        output.line(f"{label.format} label of {child_no}, {number}, copy {printed.copy}: {out}")


def _write(child_no: str, out: Path, reason: str | None, by: str) -> Printed:
    # The file first: where nothing can be written no copy is counted, and an existing file is somebody's.
    try:
        with out.open("xb") as file:
            try:
                printed = run(_give_out(child_no, by, reason))
                file.write(printed.label.content)
            except BaseException:
                out.unlink(missing_ok=True)
                raise
    except FileExistsError:
        fail(CommandFailed(f"{out} exists already; name another file."))
    except OSError as error:
        fail(CommandFailed(f"{out} cannot be written: {error.strerror}."))
    return printed


async def _give_out(child_no: str, by: str, reason: str | None) -> Printed:
    async with database() as pool:
        try:
            return await LabelStore(pool).give_out(child_no, by, reason, datetime.now(UTC))
        except NoLabel as why:
            raise CommandFailed(f"nothing was printed: {why}.") from None
        except ReprintNeedsReason as why:
            raise BadInput(f"nothing was printed: {why} (--reason).") from None
