"""Bad orders at each door for orders: refused with what is wrong, and nothing has changed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from bench.demo.environment import DemoEnvironment
from bench.load.two_parcels import two_parcel_orders
from domain.order import StartOrder
from domain.strict import UnableToRead, parse
from domain.trust.encryption import HIDDEN
from starter.clients.errors import OrderError
from tests.e2e.lives import orders_with_goods
from tests.e2e.programs import oms, temporal
from tests.e2e.stillness import nothing_changes, status
from workflows.messages import order_workflow_id

Order = dict[str, Any]


def an_order(**changes: Any) -> Order:
    (order,) = two_parcel_orders(1)
    return {**json.loads(order.model_dump_json()), **changes}


def lines(**changes: Any) -> list[Order]:
    first, *others = an_order()["lines"]
    return [{**first, **changes}, *others]


def text(**changes: Any) -> Callable[[str], str]:
    return lambda number: json.dumps(an_order(order_no=number, **changes))


def doubled_key(number: str) -> str:
    return text()(number).replace('{"order_no"', '{"channel": "other", "order_no"', 1)


def not_a_number(number: str) -> str:
    return text(payable_minor=10_601)(number).replace("10601", "NaN")


def ten_megabytes(number: str) -> str:
    return json.dumps(an_order(order_no=number, channel="x" * 10_000_000))


BAD: dict[str, tuple[Callable[[str], str], str]] = {
    "unknown SKU": (text(lines=lines(tags=None, sku="NOBODY-KNOWS")), "NOBODY-KNOWS"),
    "zero quantity": (text(lines=lines(qty=0)), "greater than or equal to 1"),
    "negative quantity": (text(lines=lines(qty=-1)), "greater than or equal to 1"),
    "totals that do not add up": (text(payable_minor=10_601), "10600"),
    "a line in another currency": (text(lines=lines(currency="USD")), "line L1 is in USD, the order in CNY"),
    "a currency that the policy does not list": (text(currency="USD"), "USD"),
    "a number where a string belongs": (text(channel=5), "valid string"),
    "a key twice": (doubled_key, "twice"),
    "NaN": (not_a_number, "NaN"),
    "10 MB": (ten_megabytes, "2000000"),
}
PLAIN_SAYS = {"NaN": "not valid JSON", "10 MB": "larger than max"}
"""What the plain command itself refuses to send, in its words."""


async def at_oms(stage: DemoEnvironment, city: Mapping[str, str], file: Path, workflow_id: str) -> str:
    said = await oms(city, "order", "start", str(file))
    assert said.code in (1, 2), said
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert said.err.count("\n") == 1
    return said.err


async def at_plain_temporal(stage: DemoEnvironment, city: Mapping[str, str], file: Path, workflow_id: str) -> str:
    named = ("--type", "Order", "--task-queue", "oms", "--workflow-id", workflow_id)
    said = await temporal(city, "execute", *named, "--input-file", str(file))
    assert said.code != 0, said
    if HIDDEN not in said.out:
        return said.out + said.err
    # The command shows a failure's words in the history, and not in the result.
    shown = await temporal(city, "show", "--workflow-id", workflow_id, "--detailed")
    return shown.out + said.err


async def at_typed_client(stage: DemoEnvironment, city: Mapping[str, str], file: Path, workflow_id: str) -> str:
    with pytest.raises((UnableToRead, OrderError)) as refused:
        await stage.client.start(parse(StartOrder, await asyncio.to_thread(file.read_bytes)))
    return str(refused.value)


Door = Callable[[DemoEnvironment, Mapping[str, str], Path, str], Awaitable[str]]
DOORS: dict[str, Door] = {"oms": at_oms, "temporal": at_plain_temporal, "client": at_typed_client}


def written(folder: Path, order: str) -> Path:
    file = folder / "order.json"
    file.write_text(order)
    return file


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("door", DOORS)
async def test_a_bad_order_is_refused_with_what_is_wrong_and_changes_nothing(
    stage: DemoEnvironment, city: dict[str, str], tmp_path: Path, door: str, case: str
) -> None:
    made, says = BAD[case]
    number = two_parcel_orders(1)[0].order_no
    workflow_id = order_workflow_id(number)
    async with nothing_changes(stage, workflow_id):
        said = await DOORS[door](stage, city, written(tmp_path, made(number)), workflow_id)
    assert (PLAIN_SAYS.get(case, says) if door == "temporal" else says) in said
    assert "Traceback" not in said


@pytest.mark.parametrize("qty", [0, -1])
async def test_an_order_that_went_round_the_clients_own_checks_is_refused_by_the_workflow(
    stage: DemoEnvironment, qty: int
) -> None:
    (order,) = two_parcel_orders(1)
    first, *others = order.lines
    unchecked = order.model_copy(update={"lines": (first.model_copy(update={"qty": qty}), *others)})
    async with nothing_changes(stage, order_workflow_id(order.order_no)):
        with pytest.raises(OrderError, match=r"InvalidOrder.*lines\.0\.qty"):
            await stage.client.start(unchecked)


async def test_an_order_under_another_orders_workflow_id_is_refused(
    stage: DemoEnvironment, city: dict[str, str], tmp_path: Path
) -> None:
    workflow_id = order_workflow_id("SOMEBODY-ELSE")
    order = an_order()
    async with nothing_changes(stage, workflow_id, order_workflow_id(order["order_no"])):
        said = await at_plain_temporal(stage, city, written(tmp_path, json.dumps(order)), workflow_id)
    assert f"must be {order_workflow_id(order['order_no'])}, it is {workflow_id}" in " ".join(said.split())


async def test_a_number_is_taken_once_at_every_door_while_the_order_runs_and_after_its_end(
    stage: DemoEnvironment, city: dict[str, str], tmp_path: Path
) -> None:
    (order,) = await orders_with_goods(stage, 1)
    number = order.order_no
    await stage.client.start(order)
    same = written(tmp_path, order.model_dump_json())
    async with nothing_changes(stage):
        for door in (at_oms, at_typed_client):
            assert number in await door(stage, city, same, order_workflow_id(number))
        assert "already" in await strictly(city, same, number)
    assert await status(stage, order_workflow_id(number)) is WorkflowExecutionStatus.RUNNING
    for any_door in DOORS.values():
        other = an_order(channel_order_no=order.channel_order_no)
        file = written(tmp_path, json.dumps(other))
        async with nothing_changes(stage, order_workflow_id(other["order_no"])):
            said = await any_door(stage, city, file, order_workflow_id(other["order_no"]))
        assert number in said, "it says who has the channel's number"
    await stage.pay(order)
    await stage.until(number, "delivery", lambda s: s.status == "DELIVERED")
    assert (await oms(city, "order", "confirm", number, "--by", "buyer")).code == 0
    await stage.until(number, "its end", lambda s: s.ended)
    same = written(tmp_path, order.model_dump_json())
    async with nothing_changes(stage, order_workflow_id(number)):
        for door in (at_oms, at_typed_client):
            assert number in await door(stage, city, same, order_workflow_id(number))
        assert "already" in await strictly(city, same, number)
        # Temporal itself would let this one through: the books do not.
        assert number in await at_plain_temporal(stage, city, same, order_workflow_id(number))


async def strictly(city: Mapping[str, str], file: Path, number: str) -> str:
    """With the options that the contract asks for."""
    named = ("--type", "Order", "--task-queue", "oms", "--workflow-id", order_workflow_id(number))
    strict = ("--id-conflict-policy", "Fail", "--id-reuse-policy", "RejectDuplicate", "--fail-existing")
    said = await temporal(city, "start", *named, *strict, "--input-file", str(file))
    assert said.code != 0
    return said.err
