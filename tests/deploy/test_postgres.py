import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import orphans, postgres, processes
from deploy.local.ports import PortTaken, free_port
from deploy.local.postgres import LocalPostgres, temporary_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    with temporary_postgres() as running:
        yield running


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_committed_rows_survive_sigkill(server: LocalPostgres) -> None:
    await ask(server.url(), "CREATE TABLE kept (n int)")
    await ask(server.url(), "INSERT INTO kept SELECT generate_series(1, 500)")
    server.kill()
    server.start()
    assert await ask(server.url(), "SELECT count(*) FROM kept") == 500


async def test_a_new_launcher_takes_over_the_server_a_killed_one_has_left(server: LocalPostgres) -> None:
    left = server.running()
    successor = LocalPostgres(server.home, port=server.port, durable=False, die_with_parent=True)
    successor.start()
    assert left is not None
    assert not processes.is_running(left)
    assert await ask(server.url(), "SELECT 1") == 1


async def test_nobody_gets_in_without_the_password(server: LocalPostgres) -> None:
    stranger = re.sub(r":[^:@/]+@", ":guess@", server.url())
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(stranger, "SELECT 1")
    assert (server.home / "password").stat().st_mode & 0o777 == 0o600


async def test_it_listens_on_loopback_only(server: LocalPostgres) -> None:
    assert await ask(server.url(), "SELECT current_setting('listen_addresses')") == "127.0.0.1"
    assert await ask(server.url(), "SELECT current_setting('unix_socket_directories')") == ""


def test_the_server_does_not_run_as_root(server: LocalPostgres) -> None:
    who = server.running()
    assert who is not None
    assert Path(f"/proc/{who.pid}").stat().st_uid != 0


def test_a_taken_port_is_one_line_that_names_the_variable(server: LocalPostgres) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is taken .* OMS_PORT_POSTGRES") as refused:
            LocalPostgres(server.home / "second", port=port).start()
    assert "\n" not in str(refused.value)


def test_a_server_that_was_never_started_is_stopped_without_a_word(tmp_path: Path) -> None:
    idle = LocalPostgres(tmp_path, port=free_port())
    idle.stop()
    idle.kill()
    assert idle.running() is None
    assert not idle.ready()


def test_the_lock_file_of_a_stranger_is_not_killed(tmp_path: Path) -> None:
    """The id in a lock file may belong to another program by now."""
    idle = LocalPostgres(tmp_path, port=free_port())
    idle.data.mkdir(parents=True)
    (idle.data / "postmaster.pid").write_text(f"1\n{idle.data}\n")
    assert idle.running() is None


async def test_a_start_waits_for_the_server_processes_that_a_killed_postmaster_left(server: LocalPostgres) -> None:
    """They hold its memory as long as they are busy; a postmaster that came too early would end at once."""
    connection = await asyncpg.connect(server.url())
    busy = asyncio.ensure_future(connection.execute("SELECT count(*) FROM generate_series(1, 20000000)"))
    until = time.monotonic() + 10
    while not await _busy(server):
        assert time.monotonic() < until
    lock = (server.data / "postmaster.pid").read_text().splitlines()
    segment = int(lock[orphans.SEGMENT_LINE].split()[1])
    server.kill()
    assert orphans.attached(segment) > 0
    await asyncio.to_thread(server.prepare)
    assert orphans.attached(segment) == 0
    server.start()
    assert server.ready()
    await asyncio.gather(busy, return_exceptions=True)
    connection.terminate()


async def _busy(server: LocalPostgres) -> bool:
    looking = await asyncpg.connect(server.url())
    try:
        return bool(
            await looking.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series(1, 2%'"
                " AND state = 'active' AND pid <> pg_backend_pid()"
            )
        )
    finally:
        await looking.close()


def test_a_killed_postmaster_whose_death_nobody_has_noted_holds_nobody_up(tmp_path: Path) -> None:
    """Its id still answers, as long as its parent has not asked for it."""
    tmp_path.chmod(0o711)
    first = LocalPostgres(tmp_path / "pg", port=free_port(), durable=False, die_with_parent=True)
    first.start()
    try:
        who = first.running()
        assert who is not None
        processes.send(who, signal.SIGKILL)
        assert processes.gone_within(who, 10)
        os.kill(who.pid, 0)  # it is not reaped
        second = LocalPostgres(first.home, port=first.port, durable=False, die_with_parent=True)
        second.prepare()
        assert not (second.data / "postmaster.pid").exists()
        second.start(timeout_s=20)
        assert asyncio.run(ask(second.url(), "SELECT 1")) == 1
        second.stop()
    finally:
        first.destroy()


def test_what_a_run_killed_days_ago_left_in_memory_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    two_days_ago = time.time() - 2 * 86_400
    for name in ("oms-pg-old", "oms-pg-new", "others"):
        (tmp_path / name / "cluster").mkdir(parents=True)
    for name in ("oms-pg-old", "others"):
        os.utime(tmp_path / name, (two_days_ago, two_days_ago))
    postgres._clear_of_killed(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["oms-pg-new", "others"]
