"""Bad input at each door: one clear message, and nothing has changed."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.demo.stage import Stage
from bench.two_parcels import two_parcel_orders
from deploy.local.temporal import temporal_binary
from tests.e2e.conftest import ROOT

COUNTS = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM tickets), (SELECT count(*) FROM inbox)"


def message(**changes: Any) -> dict[str, Any]:
    (order,) = two_parcel_orders(1)
    return {**json.loads(order.model_dump_json()), **changes}


def line(**changes: Any) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = message()["lines"]
    return [{**lines[0], **changes}, lines[1]]


CASES: list[tuple[str, str, str]] = [
    ("unknown SKU", json.dumps(message(lines=line(tags=None, sku="NOBODY-KNOWS"))), "NOBODY-KNOWS"),
    ("zero quantity", json.dumps(message(lines=line(qty=0))), "greater than or equal to 1"),
    ("negative quantity", json.dumps(message(lines=line(qty=-1))), "greater than or equal to 1"),
    ("totals that do not add up", json.dumps(message(payable_minor=1)), "10600"),
    ("currency mismatch", json.dumps(message(lines=line(currency="USD"))), "USD"),
    ("currency not accepted", json.dumps(message(currency="USD")), "USD"),
    ("a number where a string belongs", json.dumps(message(channel=5)), "valid string"),
    ("a duplicate key", '{"order_no": "A12345", "order_no": "B12345"}', "twice"),
    ("NaN", '{"order_no": "A12345", "payable_minor": NaN}', "NaN"),
]


@pytest.mark.parametrize(("name", "text", "says"), CASES, ids=[c[0] for c in CASES])
async def test_the_command_line_refuses(
    stage: Stage, city: dict[str, str], tmp_path: Path, name: str, text: str, says: str
) -> None:
    before = await stage.pool.fetchrow(COUNTS)
    file = tmp_path / "order.json"
    file.write_text(text)
    done = await run([sys.executable, "-m", "starter", "order", "start", str(file)], city)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert await stage.pool.fetchrow(COUNTS) == before


@pytest.mark.parametrize(("name", "text", "says"), CASES, ids=[c[0] for c in CASES])
async def test_the_plain_temporal_command_gets_a_failed_workflow_that_says_why(
    stage: Stage, city: dict[str, str], name: str, text: str, says: str
) -> None:
    before = await stage.pool.fetchrow(COUNTS)
    try:
        number = json.loads(text)["order_no"]
    except ValueError:
        number = "A12345"
    workflow_id = f"order/{number}" if name not in ("a duplicate key", "NaN") else f"order/{name.replace(' ', '-')}"
    address = ["--address", city["TEMPORAL_ADDRESS"]]
    command = [str(temporal_binary()), "workflow", "execute", *address, "--type", "Order", "--task-queue", "oms"]
    done = await run([*command, "--workflow-id", workflow_id, "--input", text], city)
    assert done.returncode != 0
    if name != "NaN":  # the Temporal command itself refuses to send it
        assert says in done.stdout + done.stderr
    assert await stage.pool.fetchrow(COUNTS) == before


async def test_an_order_number_is_taken_once(stage: Stage, city: dict[str, str], tmp_path: Path) -> None:
    first = message()
    await start(city, tmp_path, first)
    before = await stage.pool.fetchrow(COUNTS)
    again = await start(city, tmp_path, first)
    same_channel_number = await start(city, tmp_path, {**message(), "channel_order_no": first["channel_order_no"]})
    for refused in (again, same_channel_number):
        assert refused.returncode == 1
        assert first["order_no"] in refused.stderr
    assert await stage.pool.fetchrow(COUNTS) == before


@pytest.mark.parametrize("source", ["wechat", "qimen", "tms", "kuaidi100"])
async def test_the_relay_refuses_what_no_provider_signed(stage: Stage, city: dict[str, str], source: str) -> None:
    before = await stage.pool.fetchrow(COUNTS)
    body = b'{"id": "forged"}'
    reply = await stage.http.post(f"{city['OMS_RELAY_URL']}/hooks/{source}", content=body)
    assert 400 <= reply.status_code < 500
    assert "Traceback" not in reply.text
    assert await stage.pool.fetchrow(COUNTS) == before
    assert await stage.pool.fetchval("SELECT reason FROM inbox_refusals WHERE source = $1 LIMIT 1", source)


async def test_the_relay_knows_its_sources_and_its_limits(stage: Stage, city: dict[str, str]) -> None:
    before = await stage.pool.fetchrow(COUNTS)
    unknown = await stage.http.post(f"{city['OMS_RELAY_URL']}/hooks/nobody", content=b"{}")
    assert unknown.status_code == 404
    assert unknown.json()
    large = await stage.http.post(f"{city['OMS_RELAY_URL']}/hooks/wechat", content=b"x" * 10_000_000)
    assert large.status_code == 413
    assert await stage.pool.fetchrow(COUNTS) == before


async def start(city: dict[str, str], folder: Path, order: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    file = folder / "order.json"
    file.write_text(json.dumps(order))
    return await run([sys.executable, "-m", "starter", "order", "start", str(file)], city)


async def run(command: list[str], city: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env=city
    )
