"""`oms order merge | resplit | address`: change how an order ships. The first two wait for another supervisor."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field, ValidationError

from domain.fulfilment.reallocation import Part
from domain.order import Address
from domain.strict import Strict, UnableToRead, faults, parse
from starter.cli import output
from starter.cli.connections import order_client
from starter.cli.errors import BadInput, run, several
from starter.cli.options import By, Json, Key, actor, order_number, own_key, read, sentence
from starter.cli.orders.change import Number
from starter.text.marking import N_
from workflows.order.changes.messages import AddressChanged, ChangeAddress, Requested, RequestMerge, RequestResplit

MAX_BYTES = 200_000
Remark = Annotated[str, typer.Option("--remark", help="Why; shown at every child it concerns.")]


class Resplit(Strict):
    """The file of `oms order resplit`."""

    children: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]
    into: Annotated[tuple[Part, ...], Field(min_length=1, max_length=100)]


def merge(
    number: Number,
    children: Annotated[list[str], typer.Argument(metavar="CHILD CHILD…", help="Parcel numbers.")],
    remark: Remark,
    warehouse: Annotated[
        str | None, typer.Option("--from", help="Warehouse to ship from, where they lie in different ones.")
    ] = None,
    approver: Annotated[
        str | None, typer.Option("--ask", help="Whom to ask; other supervisors may decide too.")
    ] = None,
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Ask for parcels to be shipped together, under one waybill. Before picking; same address, customs and temperature.

    Example: oms order merge SO2603020101 SO2603020101-01 SO2603020101-02 --remark "the buyer asks for one parcel"
    """
    _tell(run(_merge(number, tuple(children), remark, warehouse, approver, by, key)), json)


async def _merge(
    number: str,
    children: tuple[str, ...],
    remark: str,
    warehouse: str | None,
    approver: str | None,
    by: str | None,
    key: str | None,
) -> Requested:
    order_no, who, own = order_number(number), actor(by), own_key(key)
    try:
        message = RequestMerge(children=children, remark=remark, by=who, warehouse=warehouse, approver=approver)
    except ValidationError as e:
        raise BadInput(f"this cannot be asked: {several(faults(e))}.") from None
    async with order_client() as client:
        return await client.keyed(own).request_merge(order_no, message)


def resplit(
    number: Number,
    file: Annotated[Path, typer.Argument(help="What becomes of which parcels, as JSON; - for stdin.")],
    remark: Remark,
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Ask for parcels to be split anew by hand. Every unit goes into exactly one part; new parcels get new numbers.

    The file: {"children": ["SO2603020101-01"], "into": [{"lines": {"L1": 2}}, {"lines": {"L1": 1, "L2": 1},
    "warehouse": "WH-2"}]}

    Example: oms order resplit SO2603020101 parts.json --remark "too heavy for one"
    """
    _tell(run(_resplit(number, file, remark, by, key)), json)


async def _resplit(number: str, file: Path, remark: str, by: str | None, key: str | None) -> Requested:
    order_no, who, own = order_number(number), actor(by), own_key(key)
    try:
        wanted = parse(Resplit, read(file, MAX_BYTES))
        message = RequestResplit(children=wanted.children, into=wanted.into, remark=remark, by=who)
    except UnableToRead as e:
        raise BadInput(f"{file} is no usable split: {several(str(e))}.") from None
    except ValidationError as e:
        raise BadInput(f"this cannot be asked: {several(faults(e))}.") from None
    async with order_client() as client:
        return await client.keyed(own).request_resplit(order_no, message)


def address(
    number: Number,
    file: Annotated[Path, typer.Argument(help="The new address as JSON, as in the start message; - for stdin.")],
    remark: Annotated[str, typer.Option("--remark", help="Why; kept in the order's history.")],
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Send an order elsewhere: everything that nobody has picked yet. The answer names what goes to the old address.

    Example: oms order address SO2603020101 new-address.json --remark "the buyer has moved"
    """
    done = run(_address(number, file, remark, by, key))
    if json:
        output.as_json(done)
    else:
        output.facts(
            [
                ("order", number),
                (
                    "to the new address",
                    ", ".join(done.changed) or N_("nothing" if done.kept else "everything"),
                ),
                ("to the old address", ", ".join(done.kept)),
            ]
        )


async def _address(number: str, file: Path, remark: str, by: str | None, key: str | None) -> AddressChanged:
    order_no, who, why = order_number(number), actor(by), sentence("--remark", remark)
    own = own_key(key)
    try:
        wanted = parse(Address, read(file, MAX_BYTES))
    except UnableToRead as e:
        raise BadInput(f"{file} is no usable address: {several(str(e))}.") from None
    async with order_client() as client:
        return await client.keyed(own).change_address(order_no, ChangeAddress(address=wanted, by=who, remark=why))


def _tell(asked: Requested, json: bool) -> None:
    if json:
        output.as_json(asked)
    else:
        output.line(f"Asked. It waits for another supervisor: oms approve show {asked.approval_id}")
