"""Plays all parts side by side with a progress display; a part that goes wrong does not stop the others."""

import asyncio
import os
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.demo.environment import DemoEnvironment, Seen, TookTooLong
from bench.demo.stories import DemoOrder
from deploy.local import stack
from starter.clients.errors import OrderError

AT_ONCE = 60


async def play(stage: DemoEnvironment, parts: Sequence[DemoOrder], console: Console, *, kill_worker: bool) -> list[str]:
    """Returns what went wrong, one line each."""
    troubles: list[str] = []
    slots = asyncio.Semaphore(AT_ONCE)
    watching = asyncio.create_task(stage.watch(lambda: [p.order.order_no for p in parts]))
    killing = asyncio.create_task(_kill_in_the_middle(stage, parts)) if kill_worker else None

    async def one(part: DemoOrder) -> None:
        try:
            async with slots:
                await part.play(stage, part.order)
            await stage.until(part.order.order_no, f"its end ({part.ends})", lambda s: s.ended)
        except (TookTooLong, OrderError, RuntimeError, OSError) as error:
            troubles.append(f"{part.name} {part.order.order_no}: {error}")
            return
        ended = stage.seen[part.order.order_no].status
        if ended != part.ends:
            troubles.append(f"{part.name} {part.order.order_no} ended {ended}, its part says {part.ends}")

    showing = asyncio.create_task(_show(stage, parts, console))
    try:
        await asyncio.gather(*(one(part) for part in parts))
        if killing is not None:
            await killing
        await _drained(stage)
    finally:
        for task in (watching, showing):
            task.cancel()
    return troubles


async def _kill_in_the_middle(stage: DemoEnvironment, parts: Sequence[DemoOrder]) -> None:
    """SIGKILL once a third of the orders have ended; the supervisor starts the worker again."""
    while sum(s.ended for s in stage.seen.values()) < len(parts) // 3:
        await asyncio.sleep(0.2)
    await asyncio.to_thread(stack.restart, dict(os.environ), "worker", kill=True)


async def _drained(stage: DemoEnvironment) -> None:
    """Callbacks may still be under way when the last order ends: the relay gets time to finish with its inbox."""
    async with asyncio.timeout(stage.patience_s):
        while await stage.pool.fetchval("SELECT EXISTS (SELECT FROM inbox WHERE state IN ('received', 'delivered'))"):
            await asyncio.sleep(0.3)


async def _show(stage: DemoEnvironment, parts: Sequence[DemoOrder], console: Console) -> None:
    columns = (
        TextColumn("orders ended"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        bar = progress.add_task("", total=len(parts))
        last = ""
        while True:
            now = Counter(stage.seen.get(p.order.order_no, Seen()).status for p in parts)
            text = "  ".join(f"{status.lower()} {n}" for status, n in sorted(now.items()) if status != "-")
            progress.update(bar, completed=sum(s.ended for s in stage.seen.values()), description=text)
            if not console.is_terminal and text != last:
                console.print(f"  {text}", highlight=False)
                last = text
            await asyncio.sleep(1.0)
