"""One round of one kind of workflow on the running stack: how fast, what it cost which program, and what it left."""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field

from temporalio.client import Client

from bench.demo.environment import DemoEnvironment
from bench.demo.orders import provide_stock
from bench.demo.stories import DemoOrder, received
from bench.load import cpu
from bench.load.empty_workflow import QUEUE
from bench.load.histories import HistoryCount, count, events_of_loops
from bench.load.statements import Asked, counted
from bench.load.two_parcels import two_parcel_orders
from deploy.local import stack
from workflows.messages import order_workflow_id

AT_ONCE = 20
COMPONENTS = ("temporal", "postgres", "worker", "relay", "sandbox")
WARM = 5
"""Workflows before each round that are not counted: caches, connections, prepared statements."""

One = Callable[[int], Awaitable[None]]
Progress = Callable[[], None]


@dataclass(frozen=True)
class Round:
    """Everything but `per_second` is per workflow. CPU in milliseconds, statements by program."""

    what: str
    per_second: float
    cpu_ms: dict[str, float]
    history: HistoryCount
    loop_events: float = 0.0
    """Of the workflows beside the orders: couriers subscribed, systems asked."""
    asked: dict[str, Asked] = field(default_factory=dict)

    @property
    def ours_ms(self) -> float:
        """Without the sandboxes, which play everybody else."""
        return sum(ms for name, ms in self.cpu_ms.items() if name != "sandbox")

    @property
    def statements(self) -> float:
        return sum(asked.statements for asked in self.asked.values())

    @property
    def transactions(self) -> float:
        return sum(asked.transactions for asked in self.asked.values())


async def orders(
    stage: DemoEnvironment, n: int, what: str, warehouses: tuple[str, str], idle: Mapping[str, Asked], step: Progress
) -> Round:
    """`idle`: what each program asks of the books in a second without orders."""
    parts = [DemoOrder("bench", order, received) for order in two_parcel_orders(n + WARM, warehouses)]
    await provide_stock(stage.pool, parts)
    watching = asyncio.create_task(stage.watch(lambda: [p.order.order_no for p in parts]))

    async def one(i: int) -> None:
        await parts[i].play(stage, parts[i].order)
        await stage.until(parts[i].order.order_no, "its end", lambda s: s.ended)

    try:
        await asyncio.gather(*(one(i) for i in range(n, n + WARM)))
        asked, events = await counted(stage.pool), await events_of_loops(stage.temporal)
        spent, took = await _timed(_pids(COMPONENTS), n, one, step)
        more, after = await counted(stage.pool), await events_of_loops(stage.temporal)
    finally:
        watching.cancel()
    handles = [stage.temporal.get_workflow_handle(order_workflow_id(p.order.order_no)) for p in parts[:n]]
    nothing = Asked(0, 0)
    return Round(
        what, n / took, _each(spent, n), _median([await count(handle) for handle in handles]),
        sum(length - events.get(run, 0) for run, length in after.items()) / n,
        {
            program: _share(now.less(asked.get(program, nothing), 1).less(idle.get(program, nothing), took), n)
            for program, now in more.items()
        },
    )  # fmt: skip


async def empties(temporal: Client, n: int, what: str, like: HistoryCount, step: Progress) -> Round:
    """As many activities as an order has, and nothing else: what the engine itself costs."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load.empty_workflow", env=os.environ.copy()
    )
    named = f"bench-empty/{os.getpid()}-{time.monotonic_ns()}"
    try:

        async def one(i: int) -> None:
            await temporal.execute_workflow(
                "Empty", args=[like.activities, like.local_activities], id=f"{named}-{i}", task_queue=QUEUE
            )

        for i in range(n, n + WARM):
            await one(i)
        pids = {**_pids(("temporal",)), "worker": worker.pid}
        spent, took = await _timed(pids, n, one, step)
    finally:
        worker.terminate()
        await worker.wait()
    return Round(what, n / took, _each(spent, n), await count(temporal.get_workflow_handle(f"{named}-0")))


async def idle_asked(stage: DemoEnvironment, seconds: float = 5.0) -> dict[str, Asked]:
    """A second's, by program."""
    before = await counted(stage.pool)
    await asyncio.sleep(seconds)
    after = await counted(stage.pool)
    return {program: _share(now.less(before.get(program, Asked(0, 0)), 1), seconds) for program, now in after.items()}


def _share(asked: Asked, parts: float) -> Asked:
    return Asked(asked.statements / parts, asked.transactions / parts)


def _each(spent: Mapping[str, float], n: int) -> dict[str, float]:
    return {name: seconds * 1000 / n for name, seconds in spent.items()}


async def _timed(pids: Mapping[str, int], n: int, one: One, step: Progress) -> tuple[dict[str, float], float]:
    slots = asyncio.Semaphore(AT_ONCE)
    before = {name: cpu.seconds(pid) for name, pid in pids.items()}
    began = time.monotonic()

    async def slot(i: int) -> None:
        async with slots:
            await one(i)
        step()

    await asyncio.gather(*(slot(i) for i in range(n)))
    took = time.monotonic() - began
    return {name: cpu.seconds(pid) - before[name] for name, pid in pids.items()}, took


def _pids(names: tuple[str, ...]) -> dict[str, int]:
    services = stack.status(os.environ).services
    return {name: pid for name in names if name in services and (pid := services[name].pid) is not None}


def _median(counts: list[HistoryCount]) -> HistoryCount:
    return HistoryCount(
        **{name: int(statistics.median(getattr(c, name) for c in counts)) for name in asdict(counts[0])}
    )
