"""`oms customs`: declarations of children that cross the border, and the legal values by which they are assessed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.fulfilment.customs import BUILT_IN, Parameters
from domain.strict import UnableToRead, parse
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, fail, run, several
from starter.cli.options import By, Json, actor
from starter.cli.text import amount
from store.orders.customs import CustomsStore
from store.pool import Row

STATES = ("HELD", "ASSESSED", "DECLARED", "WITHDRAWN")


def list_declarations(
    state: Annotated[str | None, typer.Option(help=f"Only one of {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    json: Json = False,
) -> None:
    """List declarations, the last change first. HELD: over a limit or a rate is unknown; a ticket waits for you.

    Examples:

        oms customs list --state HELD
    """
    if state is not None and state not in STATES:
        fail(BadInput(f"there is no state {state!r}; there are {', '.join(STATES)}."))
    rows = run(_declarations(state, limit))
    if json:
        output.as_json([dict(row) for row in rows])
        return
    heads = ("parcel", "mode", "state", "dutiable", "tax", "reference", "why", "changed")
    output.table("declarations", heads, [_row(row) for row in rows])


def parameters(json: Json = False) -> None:
    """Show the legal values by the day from which they hold: built in, and published.

    Examples:

        oms customs parameters
    """
    published = run(_published())
    known = {p.valid_from: (p, "built in") for p in BUILT_IN} | {p.valid_from: (p, "published") for p in published}
    ordered = [known[day] for day in sorted(known)]
    if json:
        output.as_json([{"origin": origin, **values.model_dump(mode="json")} for values, origin in ordered])
        return
    output.table(
        "customs values (CNY)",
        ("from", "origin", "single limit", "annual limit", "share", "postal exempt", "parcel", "parcel HK/MO/TW"),
        [
            (
                p.valid_from, origin, amount(p.single_limit_minor), amount(p.annual_limit_minor),
                f"{p.reduced_bp / 100:g} %", amount(p.postal_exempt_minor), amount(p.parcel_limit_minor),
                amount(p.parcel_limit_near_minor),
            )
            for p, origin in ordered
        ],
    )  # fmt: skip


def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON as `oms customs parameters --json` shows one.")],
    by: By = None,
) -> None:
    """Publish legal values from a day on. You say by this that you have confirmed them; it is audited.

    Examples:

        oms customs publish values-2027.json --by anna
    """
    try:
        values = parse(Parameters, file.read_bytes())
    except OSError as e:
        fail(BadInput(f"{file}: {e.strerror}."))
    except UnableToRead as e:
        fail(BadInput(f"{file}: {several(str(e))}."))
    try:
        who = actor(by)
    except BadInput as e:
        fail(e)
    run(_publish(values, who))
    output.line(f"customs values hold from {values.valid_from} on; children assessed before keep theirs.")


async def _declarations(state: str | None, limit: int) -> list[Row]:
    async with database() as pool:
        return list(await CustomsStore(pool).list(state, limit))


async def _published() -> tuple[Parameters, ...]:
    async with database() as pool:
        return await CustomsStore(pool).published()


async def _publish(values: Parameters, by: str) -> None:
    async with database() as pool:
        await CustomsStore(pool).publish(values, by, datetime.now(UTC))


def _row(row: Row) -> tuple[object, ...]:
    tax = "" if row["tax_minor"] is None else amount(row["tax_minor"])
    return (
        row["child_no"], row["mode"], row["state"], amount(row["dutiable_minor"]), tax, row["reference"], row["why"],
        row["changed_at"],
    )  # fmt: skip
