"""`oms order cancel | confirm | refresh`: changes to a running order, answered at once."""

from typing import Annotated

import typer

from starter.cli import output
from starter.cli.connections import order_client
from starter.cli.errors import run
from starter.cli.options import By, Json, Key, actor, order_number, own_key, sentence
from starter.cli.text import amount
from starter.text.marking import N_
from workflows.order.messages import CancelOrder, ConfirmReceipt, Refresh

Number = Annotated[str, typer.Argument(metavar="NO", help="Order number.")]


def cancel(
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the order's history.")],
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Cancel what can still be cancelled of an order; what was paid goes back, once who has to agree has agreed.

    Example: oms order cancel SO2603020101 --reason "buyer changed their mind"
    """
    run(_cancel(number, reason, by, key, json))


async def _cancel(number: str, reason: str, by: str | None, key: str | None, json: bool) -> None:
    order_no = order_number(number)
    message = CancelOrder(by=actor(by), reason=sentence("--reason", reason))
    own = own_key(key)
    async with order_client() as client:
        done = await client.keyed(own).cancel(order_no, message)
    if json:
        output.as_json(done)
    elif done.approval_id is not None:
        asked = done.approval_id
        output.line(f"{asked} asks first: decide with `oms approve show {asked}`. Until then nothing is stopped.")
    else:
        output.facts(
            [
                ("order", order_no),
                ("cancelled", ", ".join(done.cancelled) or N_("no parcel")),
                ("too late for", ", ".join(done.too_late)),
                ("goes back", amount(done.refund_minor)),
            ]
        )


def confirm(number: Number, by: By = None, key: Key = None, json: Json = False) -> None:
    """Confirm that the buyer has received the goods.

    Example: oms order confirm SO2603020101
    """
    run(_confirm(number, by, key, json))


async def _confirm(number: str, by: str | None, key: str | None, json: bool) -> None:
    order_no = order_number(number)
    own = own_key(key)
    async with order_client() as client:
        await client.keyed(own).confirm_receipt(order_no, ConfirmReceipt(by=actor(by)))
    if json:
        output.as_json({"order_no": order_no, "confirmed": True})
    else:
        output.line(f"Receipt of order {order_no} is confirmed.")


def refresh(number: Number, by: By = None, json: Json = False) -> None:
    """Ask payment, warehouse and courier for the order's state now (once per 5 seconds).

    Example: oms order refresh SO2603020101
    """
    run(_refresh(number, by, json))


async def _refresh(number: str, by: str | None, json: bool) -> None:
    order_no = order_number(number)
    async with order_client() as client:
        done = await client.refresh(order_no, Refresh(by=actor(by)))
    if json:
        output.as_json(done)
    else:
        output.facts([("order", order_no), ("as of", done.as_of)])
        output.table("Changes", ("what",), [(change,) for change in done.changes], empty="all was up to date")
