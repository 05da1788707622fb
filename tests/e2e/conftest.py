"""The whole system as processes: server, database, sandboxes, relay, worker, on free ports and with data of its own.

Its traces go to a collector in this process, and its logs are as talkative as they can be: what leaks, leaks here.
"""

import asyncio
import base64
import fcntl
import os
import secrets
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.demo.environment import DemoEnvironment, on_stage
from deploy.local import stack
from domain.approvals import Role
from domain.policy import Policy
from tests.e2e.collector import Collector, collecting
from tests.e2e.programs import ROOT

POLICY = Policy(payment_timeout_s=600, receipt_s=600, window_s=1, retry_backoff_s=(1, 1, 1), refund_spacing_s=1)
WORLD = {"SANDBOX_SPEED": "600", "SANDBOX_KUAIDI100_STAGES_S": "300,300,300,300"}
DESCRIBED = {
    "OMS_GENERIC_SOURCES": str(ROOT / "examples" / "generic-source.yaml"),
    "OMS_ACME_WMS_SECRETS": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    "OMS_SUBSCRIPTION_ERP": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    "OMS_OUTBOUND_LOOPBACK": "true",
}
TALKATIVE = {"OMS_LOG_LEVEL": "DEBUG", "OMS_LOG_FORMAT": "json", "OTEL_BSP_SCHEDULE_DELAY": "500"}


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture(scope="session")
def city(collector: Collector) -> Iterator[dict[str, str]]:
    """Variables of the running system, which is also what `config` reads while these tests run."""
    state = f".local/e2e-{os.getpid()}"
    kept = dict(os.environ)
    env = {
        **kept,
        **WORLD,
        **DESCRIBED,
        **TALKATIVE,
        "OMS_STATE_DIR": state,
        "OMS_PORTS": "free",
        "OMS_WORKFLOW_SANDBOX": "true",
    }
    env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
    try:
        with begun_alone(env) as variables:
            os.environ.update(env | variables)
            yield dict(os.environ)
    finally:
        os.environ.clear()
        os.environ.update(kept)
        shutil.rmtree(ROOT / state, ignore_errors=True)


@contextmanager
def begun_alone(env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """A stack that starts while none of another worker's does: a port that one has chosen is free until it listens."""
    (ROOT / ".local").mkdir(exist_ok=True)
    with (ROOT / ".local" / "e2e-begins").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with stack.running_stack(env, tell=lambda _line: None) as variables:
            fcntl.flock(turn, fcntl.LOCK_UN)
            yield variables


@pytest.fixture(scope="session")
def logs(city: dict[str, str]) -> Path:
    return ROOT / city["OMS_STATE_DIR"] / "logs"


@pytest.fixture(scope="session")
def replayed() -> Counter[str]:
    """By source: how many genuine messages these tests have sent again, beside what the sandboxes know of."""
    return Counter()


@pytest.fixture
async def stage(city: dict[str, str]) -> AsyncIterator[DemoEnvironment]:
    """Client, store and the sandboxes' doors, for one test; orders that start now live by the quick policy."""
    async with on_stage("e2e", city, POLICY, patience_s=90) as stage:
        await stage.office.hire({"anna": Role.ORDER_OPS, "ops-anna": Role.ORDER_OPS})
        watching = asyncio.create_task(stage.watch(lambda: list(stage.seen)))
        try:
            yield stage
        finally:
            watching.cancel()
            for url in stage.sandboxes.values():
                await stage.http.delete(f"{url}/_faults")
