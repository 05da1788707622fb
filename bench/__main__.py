"""`python -m bench [--orders N] [--json FILE]`: what a paid two-parcel order costs, beside an empty workflow with as
many activities in the same run. Rates of one run are worth little on a shared machine; the ratio is worth more."""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from temporalio.client import Client

from bench.demo.environment import DemoEnvironment, on_stage
from bench.demo.orders import SPEED, provide_stock
from bench.demo.stories import DemoOrder, received
from bench.load import cpu
from bench.load.empty_workflow import QUEUE
from bench.load.histories import HistoryCount, count
from bench.load.two_parcels import BENCH_POLICY, two_parcel_orders
from deploy.local import stack
from workflows.messages import order_workflow_id

console = Console(soft_wrap=True)
AT_ONCE = 20
COMPONENTS = ("temporal", "postgres", "worker", "relay", "sandbox")


@dataclass(frozen=True)
class Measured:
    """One phase. CPU in milliseconds per workflow, by program."""

    what: str
    workflows: int
    per_second: float
    cpu_ms: dict[str, float]
    history: HistoryCount


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=60, help="how many of each kind (default 60)")
    parser.add_argument("--json", type=Path, default=Path("bench/results/bench.json"), help="file for the figures")
    options = parser.parse_args(words)
    env = {**FAST_WORLD, **os.environ}
    with stack.running_stack(env, tell=lambda line: console.print(line, highlight=False)) as variables:
        os.environ.update(variables)
        found = asyncio.run(_measure(options.orders, variables))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps([asdict(m) for m in found], indent=2))
    _show(found)
    console.print(f"figures: {options.json}")
    return 0


FAST_WORLD = {**SPEED, "SANDBOX_SPEED": "2400"}


async def _measure(orders: int, variables: Mapping[str, str]) -> list[Measured]:
    async with on_stage("bench", variables, BENCH_POLICY, patience_s=300) as stage:
        real = await _orders(stage, orders)
        return [real, await _empties(stage.temporal, orders, real.history)]


async def _orders(stage: DemoEnvironment, n: int) -> Measured:
    parts = [DemoOrder("bench", order, received) for order in two_parcel_orders(n + 5)]
    await provide_stock(stage.pool, parts)
    watching = asyncio.create_task(stage.watch(lambda: [p.order.order_no for p in parts]))

    async def one(i: int) -> None:
        await parts[i].play(stage, parts[i].order)
        await stage.until(parts[i].order.order_no, "its end", lambda s: s.ended)

    try:
        for i in range(n, n + 5):
            await one(i)
        spent, took = await _timed(_pids(COMPONENTS), n, one, "two-parcel orders")
    finally:
        watching.cancel()
    handles = [stage.temporal.get_workflow_handle(order_workflow_id(p.order.order_no)) for p in parts[:n]]
    counts = [await count(h) for h in handles]
    return Measured("paid two-parcel order", n, n / took, {k: v * 1000 / n for k, v in spent.items()}, _median(counts))


async def _empties(temporal: Client, n: int, like: HistoryCount) -> Measured:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load.empty_workflow", env=os.environ.copy()
    )
    try:

        async def one(i: int) -> None:
            await temporal.execute_workflow(
                "Empty", args=[like.activities, like.local_activities], id=f"bench-empty/{os.getpid()}-{i}",
                task_queue=QUEUE,
            )  # fmt: skip

        for i in range(n, n + 5):
            await one(i)
        pids = {**_pids(("temporal",)), "worker": worker.pid}
        spent, took = await _timed(pids, n, one, "empty workflows")
    finally:
        worker.terminate()
        await worker.wait()
    history = await count(temporal.get_workflow_handle(f"bench-empty/{os.getpid()}-0"))
    return Measured("empty workflow", n, n / took, {k: v * 1000 / n for k, v in spent.items()}, history)


async def _timed(
    pids: Mapping[str, int], n: int, one: Callable[[int], Awaitable[None]], what: str
) -> tuple[dict[str, float], float]:
    slots = asyncio.Semaphore(AT_ONCE)
    before = {name: cpu.seconds(pid) for name, pid in pids.items()}
    began = time.monotonic()
    with Progress(console=console) as progress:
        bar = progress.add_task(what, total=n)

        async def slot(i: int) -> None:
            async with slots:
                await one(i)
            progress.advance(bar)

        await asyncio.gather(*(slot(i) for i in range(n)))
    took = time.monotonic() - began
    return {name: cpu.seconds(pid) - before[name] for name, pid in pids.items()}, took


def _pids(names: Sequence[str]) -> dict[str, int]:
    services = stack.status(os.environ).services
    return {name: pid for name in names if name in services and (pid := services[name].pid) is not None}


def _median(counts: Sequence[HistoryCount]) -> HistoryCount:
    return HistoryCount(
        **{name: int(statistics.median(getattr(c, name) for c in counts)) for name in asdict(counts[0])}
    )


def _show(found: Sequence[Measured]) -> None:
    table = Table(title=f"{found[0].workflows} of each, {AT_ONCE} at once", title_justify="left")
    for column in ("", *(m.what for m in found), "ratio"):
        table.add_column(column, justify="right" if column else "left")
    a, b = found
    rows: list[tuple[str, float, float]] = [("per second", a.per_second, b.per_second)]
    h, g = asdict(a.history), asdict(b.history)
    rows += [(name.replace("_", " "), h[name], g[name]) for name in h]
    rows += [(f"CPU ms {name}", a.cpu_ms[name], b.cpu_ms.get(name, 0.0)) for name in a.cpu_ms]
    rows.append(("CPU ms all", sum(a.cpu_ms.values()), sum(b.cpu_ms.values())))
    for name, x, y in rows:
        table.add_row(name, f"{x:.1f}", f"{y:.1f}", f"{x / y:.2f}" if y else "")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
