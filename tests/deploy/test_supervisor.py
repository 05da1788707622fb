import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local import processes
from deploy.local.plan import Layout
from deploy.local.ports import PortTaken, free_port
from deploy.local.record import StackRecord, read_record
from deploy.local.service import DidNotStart
from deploy.local.supervisor import Supervisor, only_one
from tests.deploy.small_stack import failing, listener, supervisor

ROOT = Path(__file__).resolve().parents[2]


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(stack: Supervisor) -> AsyncIterator[StackRecord]:
    task = asyncio.create_task(stack.run())
    try:
        await until(lambda: stack.record.state == "ready" or task.done())
        yield stack.record
    finally:
        stack.stop()
        await task


def alive(record: StackRecord) -> list[str]:
    return [service.name for service, _ in record.leftovers()]


async def test_a_program_waits_for_what_it_needs_and_all_end_together(tmp_path: Path) -> None:
    stack = supervisor(tmp_path, [listener("door", free_port(), ("floor",)), listener("floor", free_port())])
    async with running(stack) as record:
        assert sorted(alive(record)) == ["door", "floor"]
        assert read_record(Layout(tmp_path).record).state == "ready"
    assert alive(record) == []


async def test_a_killed_program_is_started_again(tmp_path: Path) -> None:
    stack = supervisor(tmp_path, [listener("door", free_port())])
    async with running(stack) as record:
        first = record.services["door"].identity
        assert first
        processes.send(first, signal.SIGKILL)
        await until(lambda: record.services["door"].restarts == 1 and record.services["door"].state == "ready")
        assert record.services["door"].identity != first


async def test_a_program_that_cannot_start_is_one_line_and_ends_the_others(tmp_path: Path) -> None:
    stack = supervisor(tmp_path, [listener("floor", free_port()), failing("worker", ("floor",))])
    with pytest.raises(DidNotStart, match="worker ended with code 1: OMS_SOMETHING is not set") as refused:
        await stack.run()
    assert "\n" not in str(refused.value)
    assert alive(stack.record) == []


async def test_a_taken_port_stops_the_start_before_anything_runs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        stack = supervisor(tmp_path, [listener("floor", free_port()), listener("relay", other.getsockname()[1])])
        with pytest.raises(PortTaken, match="set OMS_PORT_RELAY"):
            await stack.run()
    assert all(service.pid == 0 for service in stack.record.services.values())


def test_a_state_folder_has_one_supervisor(tmp_path: Path) -> None:
    first = only_one(Layout(tmp_path))
    assert first
    assert only_one(Layout(tmp_path)) is None
    first.close()
    again = only_one(Layout(tmp_path))
    assert again
    again.close()


def launch(state: Path, ports: list[int]) -> subprocess.Popen[bytes]:
    words = [sys.executable, str(Path(__file__).with_name("small_stack.py")), str(state), *map(str, ports)]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(ROOT)})


async def test_after_sigkill_of_the_supervisor_the_next_one_takes_over(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    record_file = Layout(tmp_path).record
    first = launch(tmp_path, ports)
    await until(lambda: read_record(record_file).state == "ready")
    first.kill()
    first.wait(5)
    orphans = [who for _, who in read_record(record_file).leftovers()]
    assert len(orphans) == 2
    second = launch(tmp_path, ports)
    try:
        await until(lambda: read_record(record_file).supervised() and read_record(record_file).state == "ready")
        assert not any(processes.is_running(who) for who in orphans)
    finally:
        second.terminate()
        second.wait(10)
    assert read_record(record_file).leftovers() == []
