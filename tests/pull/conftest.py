"""The whole system as processes, asking every two seconds: its callbacks can be lost without waiting for minutes."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bench.demo.environment import DemoEnvironment, on_stage
from deploy.local import stack
from domain.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
TICK_S = 2
POLICY = Policy(payment_timeout_s=90, late_payment_watch_s=60, receipt_s=300, window_s=1, retry_backoff_s=(1, 1, 1))
WORLD = {
    "SANDBOX_SPEED": "600",
    "SANDBOX_KUAIDI100_STAGES_S": "300,300,300,300",
    "OMS_PULL_PAYMENT_TICK_S": str(TICK_S),
    "OMS_PULL_WAREHOUSE_TICK_S": str(TICK_S),
    "OMS_PULL_COURIER_TICK_S": str(TICK_S),
    "OMS_PULL_COURIER_SPACING_S": str(TICK_S),
    "OMS_PULL_BACKOFF_S": "[1, 1]",
    "OMS_PULL_TICKET_AFTER": "3",
}


@pytest.fixture(scope="session")
def town() -> Iterator[dict[str, str]]:
    state = f".local/pull-{os.getpid()}"
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
async def stage(town: dict[str, str]) -> AsyncIterator[DemoEnvironment]:
    """Client, store and the sandboxes' doors; no fault is left armed behind a test."""
    async with on_stage("pull test", town, POLICY, patience_s=60) as stage:
        watching = asyncio.create_task(stage.watch(lambda: list(stage.seen) or [""]))
        try:
            yield stage
        finally:
            watching.cancel()
            for url in stage.sandboxes.values():
                await stage.http.delete(f"{url}/_faults")
