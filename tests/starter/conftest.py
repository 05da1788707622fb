"""A real Temporal server and a worker of the stand-in workflow, shared by the tests of this room."""

import asyncio
import json
import os
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.settings import TemporalSettings
from deploy.local.logins import as_role
from domain.approvals import Role
from providers.tokens.issue import new_key, read_key
from starter.cli.main import main
from store.approvals.people import PeopleStore
from store.pool import open_pool
from tests.starter.deciding import DecidingWorker, new_namespace
from tests.starter.stand_in import StandInWorker

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalSettings]:
    binary = str(Path(sysconfig.get_path("scripts")) / "temporal")
    port = free_port()
    log = tmp_path_factory.mktemp("temporal") / "server.log"
    command = [binary, "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), "--headless"]
    with log.open("w") as out:
        server = subprocess.Popen([*command, "--log-level", "error"], stdout=out, stderr=out)
    try:
        _wait_for(port, server)
        yield TemporalSettings(temporal_address=f"127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def temporal(temporal_server: TemporalSettings) -> Iterator[TemporalSettings]:
    """The server with a worker that runs the stand-in workflow."""
    worker = StandInWorker(temporal_server.temporal_address)
    yield temporal_server
    worker.stop()


_numbers = count(1)


@pytest.fixture
def order_json() -> dict[str, Any]:
    """examples/order.json under an order number of its own."""
    order: dict[str, Any] = json.loads((EXAMPLES / "order.json").read_bytes())
    n = next(_numbers)
    order["order_no"], order["channel_order_no"] = f"T{os.getpid()}-{n:04}", f"WX-{os.getpid()}-{n}"
    return order


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert server.poll() is None, "the Temporal server ended at its start"
        with socket.socket() as s:
            s.settimeout(0.2)
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the Temporal server did not open its port")


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Oms = Callable[..., Said]


@pytest.fixture
def oms(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Oms:
    """Runs `oms` in this process, as on a developer's stack, without the settings of any that happens to run here."""
    monkeypatch.setenv("OMS_ENV_FILE", "")
    monkeypatch.setenv("OMS_ENVIRONMENT", "local")
    monkeypatch.setenv("OMS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LANGUAGE", "en")

    def run(*arguments: str, stdin: bytes = b"") -> Said:
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main(arguments)
        said = capsys.readouterr()
        return Said(int(end.value.code or 0), said.out, said.err)

    return run


STAFF = {
    "u-ed": (Role.RULE_EDITOR, Role.ORDER_OPS), "u-ops": (Role.ORDER_OPS,),
    "u-fin": (Role.FINANCE,), "u-fin2": (Role.FINANCE,),
    "u-cs": (Role.CS_AGENT,), "anna": (Role.WAREHOUSE,), "u-admin": (Role.ADMIN,), "u-admin2": (Role.ADMIN,),
}  # fmt: skip


@pytest.fixture
def at_desk(database_url: str, monkeypatch: pytest.MonkeyPatch, temporal_server: TemporalSettings) -> Iterator[None]:
    """A worker that works at the desk for proven people, on this test's database; `oms` can sign for `STAFF`."""
    key = read_key(new_key())
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv("OMS_DATABASE_URL", as_role(database_url, "oms_operator"))
    monkeypatch.setenv("OMS_TOKENS_PRIVATE_KEY", pem)
    namespace = new_namespace(temporal_server.temporal_address)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_server.temporal_address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", namespace)
    asyncio.run(_hire(database_url))
    working = DecidingWorker(temporal_server.temporal_address, namespace, database_url, key)
    yield
    working.stop()


async def _hire(database_url: str) -> None:
    pool = await open_pool(database_url, max_size=1)
    try:
        for person, roles in STAFF.items():
            await PeopleStore(pool).add(person, list(roles), "installation", datetime.now(UTC))
    finally:
        await pool.close()
