"""The whole system as processes: server, database, sandboxes, relay, worker, on free ports and with data of its own."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.demo.sites import sandbox_urls
from bench.demo.stage import Stage
from config import Settings
from deploy.local import stack
from domain.policy import Policy
from starter.client import OrderClient
from store.policies import PolicyStore
from store.pool import open_pool

ROOT = Path(__file__).resolve().parents[2]
POLICY = Policy(payment_timeout_s=300, receipt_s=300, window_s=1, retry_backoff_s=(1, 1, 1))
WORLD = {"SANDBOX_SPEED": "600", "SANDBOX_KUAIDI100_STAGES_S": "300,300,300,300"}


@pytest.fixture(scope="session")
def city() -> Iterator[dict[str, str]]:
    """Variables of the running system, which is also what `config` reads while these tests run."""
    state = f".local/e2e-{os.getpid()}"
    kept = dict(os.environ)
    env = {**kept, **WORLD, "OMS_STATE_DIR": state, "OMS_PORTS": "free", "OMS_WORKFLOW_SANDBOX": "true"}
    try:
        with stack.running_stack(env, tell=lambda _line: None) as variables:
            os.environ.update(env | variables)
            yield dict(os.environ)
    finally:
        os.environ.clear()
        os.environ.update(kept)
        shutil.rmtree(ROOT / state, ignore_errors=True)


@pytest.fixture
async def stage(city: dict[str, str]) -> AsyncIterator[Stage]:
    """Client, store and the sandboxes' doors, for one test; orders that start now live by the quick policy."""
    settings = Settings()
    pool = await open_pool(settings.database.url.get_secret_value(), application="e2e")
    temporal = await Client.connect(**settings.temporal.connect_arguments(), data_converter=pydantic_data_converter)
    async with httpx.AsyncClient(timeout=20) as http:
        await PolicyStore(pool).publish(POLICY, "e2e")
        yield Stage(OrderClient(temporal), temporal, pool, sandbox_urls(city), http, patience_s=90)
    await pool.close()
