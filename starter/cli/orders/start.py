"""`oms order start`: one order from a JSON file."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.order import StartOrder
from domain.strict import MAX_BYTES, UnableToRead, parse
from starter.cli import output
from starter.cli.connections import order_client
from starter.cli.errors import BadInput, run, several
from starter.cli.options import Json, read
from starter.cli.text import money
from starter.text.marking import N_
from workflows.order.messages import Placed


def start(
    file: Annotated[Path, typer.Argument(help="The order as JSON (see docs/contract), - for stdin.")],
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Play the file as a new order: new numbers, placed now, default deadline.")
    ] = False,
    json: Json = False,
) -> None:
    """Start an order and show its pay code.

    Examples:

        oms order start examples/order.json --fresh

        cat order.json | oms order start - --json
    """
    run(_start(file, fresh, json))


async def _start(file: Path, fresh: bool, json: bool) -> None:
    order = read_order(file)
    if fresh:
        order = renewed(order, datetime.now(UTC))
    async with order_client() as client:
        placed = await client.start(order)
    if json:
        output.as_json(placed)
    else:
        show(placed)


def read_order(file: Path) -> StartOrder:
    """The order in a file, strictly. Raises `BadInput` with what is wrong and where."""
    raw = read(file, MAX_BYTES)
    try:
        return parse(StartOrder, raw)
    except UnableToRead as e:
        raise BadInput(f"{file} is no usable order, nothing was started: {several(str(e))}.") from None


def renewed(order: StartOrder, now: datetime) -> StartOrder:
    """The same order as if placed now under numbers of its own."""
    number = f"SO{now:%y%m%d%H%M%S}{secrets.randbelow(10**6):06}"
    payment = order.payment.model_copy(update={"deadline": None})
    change = {"order_no": number, "channel_order_no": f"X{number}", "placed_at": now, "payment": payment}
    return order.model_copy(update=change)


def show(placed: Placed) -> None:
    """What the shop needs to show its buyer."""
    output.facts(
        [
            ("order", placed.order_no),
            ("to pay", money(placed.payable_minor, placed.currency)),
            ("pay until", placed.pay_deadline),
            ("pay code", placed.payment_code or N_("none yet: paid outside, or a ticket is open")),
            ("next", f"oms order show {placed.order_no}"),
        ]
    )
