"""`python -m deploy.local` with all real programs: up, up again, everything killed, down; a taken port."""

import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from bench.load.two_parcels import two_parcel_orders
from deploy.local import processes, stack
from deploy.local.processes import Identity
from tests.e2e.programs import ROOT, Said, oms, run
from tests.e2e.waiting import until

NOT_OURS = ("OMS_", "TEMPORAL_", "SANDBOX_", "OTEL_")


def environment(state: str) -> dict[str, str]:
    """Of somebody who has no stack and no settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    return own | {"OMS_STATE_DIR": state, "OMS_PORTS": "free"}


async def local(env: Mapping[str, str], word: str) -> Said:
    return await run([sys.executable, "-m", "deploy.local", word], env)


def everybody(env: Mapping[str, str]) -> list[Identity]:
    """The supervisor and all its programs, as written down."""
    record = stack.status(env)
    programs = [service.identity for service in record.services.values() if not service.once]
    return [who for who in (record.supervisor, *programs) if who]


@pytest.fixture(scope="module")
def home() -> Iterator[dict[str, str]]:
    env = environment(f".local/e2e-own-{os.getpid()}")
    try:
        yield env
    finally:
        stack.down(env, tell=lambda _line: None)
        shutil.rmtree(ROOT / env["OMS_STATE_DIR"], ignore_errors=True)


@pytest.fixture
async def up(home: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    said = await local(home, "up")
    assert said.code == 0, said
    yield home


async def test_a_second_up_changes_nothing(up: dict[str, str]) -> None:
    before = everybody(up)
    said = await local(up, "up")
    assert (said.code, said.err) == (0, "")
    assert "already running" in said.out
    assert everybody(up) == before
    assert all(processes.is_running(who) for who in before)
    status = await local(up, "status")
    assert status.code == 0
    assert status.out.count("ready") == 1 + len(before) - 1


@pytest.mark.timeout(240)
async def test_after_everything_was_killed_up_brings_all_data_back(up: dict[str, str], tmp_path: Path) -> None:
    (order,) = two_parcel_orders(1)
    file = tmp_path / "order.json"
    file.write_text(order.model_dump_json())
    placed = (await oms(up, "order", "start", str(file), "--json")).json
    before = everybody(up)
    for who in before:
        processes.send(who, signal.SIGKILL)
    assert all(processes.gone_within(who, 10) for who in before)
    said = await local(up, "up")
    assert said.code == 0, said
    assert not set(everybody(up)) & set(before)
    shown = (await oms(up, "order", "show", order.order_no, "--json")).json
    assert (shown["detail"]["order"]["status"], placed["order_no"]) == ("PENDING_PAYMENT", order.order_no)
    pay = urlsplit(stack.variables_of(up)["OMS_WECHAT_BASE_URL"])
    async with httpx.AsyncClient(timeout=20) as http:
        # The channel has its trade, the relay its address, Temporal the waiting order.
        paid = await http.post(f"{pay.scheme}://{pay.netloc}/_pay", json={"out_trade_no": order.order_no})
    assert paid.is_success, paid.text

    async def booked() -> bool:
        seen = (await oms(up, "order", "show", order.order_no, "--json")).json
        return bool(seen["detail"]["payments"])

    await until(booked, 60)


async def test_down_leaves_no_process_behind(up: dict[str, str]) -> None:
    before = everybody(up)
    assert len(before) == 9
    said = await local(up, "down")
    assert (said.code, said.err) == (0, "")
    assert [who for who in before if processes.is_running(who)] == []
    again = await local(up, "down")
    assert (again.code, again.err, again.out) == (0, "", "nothing was running\n")


async def test_a_taken_port_is_one_clear_line_and_nothing_runs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        env = environment(f".local/e2e-port-{os.getpid()}") | {"OMS_PORT_RELAY": str(port)}
        try:
            said = await local(env, "up")
            left = everybody(env)
        finally:
            stack.down(env, tell=lambda _line: None)
            shutil.rmtree(ROOT / env["OMS_STATE_DIR"], ignore_errors=True)
    assert said.code == 1
    assert said.err == (
        f"local stack: relay cannot start: port {port} is taken by another program; set OMS_PORT_RELAY to a free port\n"
    )
    assert "Traceback" not in said.out
    assert [who for who in left if processes.is_running(who)] == []
