"""`oms stock`: what is there, and what has come in."""

from typing import Annotated, Any

import typer
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from domain.access.controls import CorrectStock
from domain.access.desk import ReceiveGoods
from domain.order import Id, Qty, Sku, Tag
from domain.strict import faults
from starter.cli import output
from starter.cli.approvals.controls import ask_for
from starter.cli.connections import database
from starter.cli.desk import at_desk
from starter.cli.errors import BadInput, run, several
from starter.cli.options import By, Json, Limit, Proof, actor, sentence
from store.stock.ledger import StockBalance, StockStore


class Receipt(BaseModel):
    """A goods receipt as typed in."""

    sku: Sku
    warehouse: Tag
    qty: Qty
    ref: Annotated[Id, Field(max_length=64)]


class StockReceived(BaseModel):
    receipt: Receipt
    booked: bool
    """False: this receipt had been booked before."""
    told: list[str]
    """Parcels that wait for these goods and were told, longest paid first."""


def receive(
    sku: str,
    warehouse: str,
    qty: Annotated[int, typer.Argument(help="Units that came in.")],
    ref: Annotated[str, typer.Option("--ref", help="Number of the goods receipt; the same one counts once.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Book goods that came in, and tell the parcels that wait for them, longest paid first.

    Example: oms stock receive MUG-RED WH-EAST 100 --ref GR-20260302-1
    """
    done = run(_receive(sku, warehouse, qty, ref, by, proof))
    if json:
        output.as_json(done)
        return
    said = "booked" if done.booked else "had been booked before; nothing was added"
    output.line(f"Receipt {ref} of {qty} × {sku} in {warehouse} {said}.")
    if done.told:
        output.line(f"Told to waiting parcels: {', '.join(done.told)}.")


async def _receive(sku: str, warehouse: str, qty: int, ref: str, by: str | None, proof: str | None) -> StockReceived:
    receipt = _receipt(sku, warehouse, qty, ref)
    done = await at_desk(ReceiveGoods(**receipt.model_dump()), actor(by), proof)
    return StockReceived(receipt=receipt, booked=done["booked"], told=done["told"])


def _receipt(sku: str, warehouse: str, qty: int, ref: str) -> Receipt:
    try:
        return TypeAdapter(Receipt).validate_python({"sku": sku, "warehouse": warehouse, "qty": qty, "ref": ref})
    except ValidationError as e:
        raise BadInput(f"nothing was booked: {several(faults(e))}.") from None


def adjust(
    sku: str,
    warehouse: str,
    by_units: Annotated[str, typer.Argument(metavar="+N|N-", help="Three more: +3; three fewer: 3-.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the move.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask that available units are more or fewer; another person, of order operations, decides.

    Examples:

        oms stock adjust MUG-RED WH-EAST +3 --reason "found behind the shelf" --by u-wh

        oms stock adjust MUG-RED WH-EAST 3- --reason "broken in the warehouse" --by u-wh
    """
    ask_for(_correction(sku, warehouse, reason, delta=_signed(by_units)), by, proof, json)


def take(
    sku: str,
    warehouse: str,
    counted: Annotated[int, typer.Argument(min=0, help="Units on the shelf, reserved ones among them.")],
    reason: Annotated[str, typer.Option("--reason", help="Which count it was; kept with the move.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask that the books say what was counted; another person, of order operations, decides about the difference.

    Example: oms stock take MUG-RED WH-EAST 97 --reason "count of 3 March, shelf A" --by u-wh
    """
    ask_for(_correction(sku, warehouse, reason, counted=counted), by, proof, json)


def _correction(sku: str, warehouse: str, reason: str, **what: Any) -> CorrectStock:
    try:
        return CorrectStock(sku=sku, warehouse=warehouse, reason=sentence("--reason", reason), **what)
    except ValidationError as e:
        raise typer.BadParameter(f"nothing was asked: {several(faults(e))}.") from None


def _signed(text: str) -> int:
    """`+3`, or `3-`: what begins with a minus would be an option."""
    sign, number = (-1, text[:-1]) if text.endswith("-") else (1, text.removeprefix("+"))
    if not number.isascii() or not number.isdigit() or not 0 < int(number[:10]) <= 10**9:
        raise typer.BadParameter(f"{text!r} is no change of units; write +3 for three more, 3- for three fewer.")
    return sign * int(number)


def show(
    sku: Annotated[str | None, typer.Argument(help="Only this SKU.")] = None,
    warehouse: Annotated[str | None, typer.Option("--warehouse", help="Only this warehouse.")] = None,
    limit: Limit = 200,
    json: Json = False,
) -> None:
    """Show units by SKU and warehouse.

    Example: oms stock show MUG-RED
    """
    found = run(_show(sku, warehouse, limit))
    if json:
        output.as_json(found)
    else:
        columns = ("sku", "warehouse", "available", "reserved", "shipped", "frozen", "second hand", "scrapped")
        rows = [
            (b.sku, b.warehouse, b.available, b.reserved, b.shipped, b.frozen, b.second_hand, b.scrapped) for b in found
        ]
        output.table("Stock", columns, rows)


async def _show(sku: str | None, warehouse: str | None, limit: int) -> tuple[StockBalance, ...]:
    async with database() as pool:
        return await StockStore(pool).show(sku, warehouse, limit)
