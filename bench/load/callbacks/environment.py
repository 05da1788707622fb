"""The ground on which callbacks fall: a stack of our own whose sandboxes keep silent, and open orders."""

import asyncio
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.demo.environment import DemoEnvironment
from bench.demo.orders import provide_stock
from bench.demo.stories import DemoOrder, plain
from bench.load.two_parcels import two_parcel_orders
from config.sources import ROOT
from deploy.local import stack
from domain.order import StartOrder
from domain.policy import Policy
from starter.clients.errors import DuplicateOrder, NoAnswer

SILENT = {"SANDBOX_SPEED": "0.001", "OMS_PULL_PAYMENT_TICK_S": "3600", "OMS_PULL_WAREHOUSE_TICK_S": "3600"}
"""The sandboxes answer; what happens is told by nobody but us."""
POLICY = Policy(payment_timeout_s=6 * 3600, retry_backoff_s=(1, 2, 4))
AT_ONCE = 16
ALWAYS = 10**9


@contextmanager
def ground(name: str, console: Console) -> Iterator[Mapping[str, str]]:
    """The variables of a running stack; the environment points at it inside the block.

    Always a stack of its own: what is paid here no sandbox knows of, which the invariants of others would not forgive.
    """
    env = {**SILENT, **os.environ, "OMS_STATE_DIR": f".local/{name}-{os.getpid()}", "OMS_PORTS": "free"}
    os.environ.update(env)
    with stack.running_stack(env, tell=lambda line: console.print(line, highlight=False)) as variables:
        os.environ.update(variables)
        yield variables


def state_folder() -> Path:
    """Of the running stack: both sides' secrets, and room for the senders' journals."""
    return ROOT / os.environ["OMS_STATE_DIR"]


def clear_away() -> None:
    """After a run that needs no looking into."""
    shutil.rmtree(state_folder(), ignore_errors=True)


async def open_orders(stage: DemoEnvironment, count: int, console: Console) -> Sequence[StartOrder]:
    """Placed, with goods in stock, waiting for their payment."""
    orders = two_parcel_orders(count)
    await provide_stock(stage.pool, [DemoOrder("callbacks", order, plain) for order in orders])
    for sandbox in stage.sandboxes:
        await stage.fault(sandbox, "callback", "lost_callback", times=ALWAYS)
    slots = asyncio.Semaphore(AT_ONCE)
    with Progress(console=console) as progress:
        bar = progress.add_task("orders placed", total=count)

        async def one(order: StartOrder) -> None:
            async with slots:
                await _surely_start(stage, order)
            progress.advance(bar)

        await asyncio.gather(*(one(order) for order in orders))
    return orders


async def _surely_start(stage: DemoEnvironment, order: StartOrder) -> None:
    while True:
        try:
            await stage.client.start(order)
            return
        except DuplicateOrder:
            return
        except NoAnswer:
            await asyncio.sleep(1)


SETTLED = "SELECT NOT EXISTS (SELECT FROM inbox WHERE state IN ('received', 'delivered', 'parked'))"
DELIVERED = "SELECT NOT EXISTS (SELECT FROM orders WHERE status <> 'DELIVERED')"


async def settled(stage: DemoEnvironment, within_s: float) -> bool:
    """Until every message has its outcome. False: not in that time."""
    return await _until(stage, SETTLED, within_s)


async def drained(stage: DemoEnvironment, within_s: float) -> bool:
    """Until every message has its outcome and every order is delivered. False: not in that time."""
    return await _until(stage, f"{SETTLED} AND ({DELIVERED})", within_s)


async def _until(stage: DemoEnvironment, question: str, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            while not await stage.pool.fetchval(question):
                await asyncio.sleep(0.3)
        return True
    except TimeoutError:
        return False
