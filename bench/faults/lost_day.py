"""`python -m bench.lost_day [--hours N] [--orders N]`: a day on which a channel's callbacks are lost, every single one.

On skipped time, with running workflows and the real store: the channel is asked every 30 s, orders are placed all day
and paid at moments drawn from the seed, some in the last second. Every payment must be found and no paid order closed
(R12, R13, R19). Exit 0 only then.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import Progress

from activities.polling import Pull
from bench.load.callbacks.visibility import quantile
from bench.scenarios.__main__ import quiet
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.polling.polling import LATE_AFTER
from workflows.loops.polling import PULL_WORKFLOW, pull_workflow_id
from workflows.messages import TASK_QUEUE, order_workflow_id

console = Console(soft_wrap=True, highlight=False)
TICK_S = 30
WINDOW = timedelta(minutes=30)
"""An order has so long to be paid."""
FOUND = """
SELECT o.order_no, o.status, o.payment_status, p.paid_at, p.booked_at, i.via
FROM orders o LEFT JOIN payments p USING (order_no)
LEFT JOIN LATERAL (SELECT via FROM inbox WHERE order_no = o.order_no ORDER BY id LIMIT 1) i ON true"""


@dataclass(frozen=True)
class LostDay:
    """Delays in seconds, from payment to the order's knowing of it. `at_the_deadline`: found by the order itself."""

    hours: int
    orders: int
    found: int
    cancelled: int
    at_the_deadline: int
    callbacks: int
    delayed: int
    delay_p50_s: float
    delay_p95_s: float
    delay_max_s: float
    took_s: float

    @property
    def good(self) -> bool:
        return self.found == self.orders and not (self.cancelled or self.callbacks or self.delayed)


async def lost_day(
    servers: Servers, hours: int, orders: int, seed: int, progress: Callable[[int], None] = lambda _: None
) -> LostDay:
    began = time.monotonic()
    async with servers.house() as house:
        await house.temporal.start_workflow(
            PULL_WORKFLOW, Pull(connector="wechat", tick_s=TICK_S), id=pull_workflow_id("wechat"), task_queue=TASK_QUEUE
        )
        start, moments = house.now(), _moments(Random(seed), hours, orders)
        for n, (placed, paid) in enumerate(moments):
            await house.pass_until(start + placed)
            life = await _placed(house, n)
            # The buyer pays after the order was placed, so that the last second is one of its own deadline.
            at = min(life.placed.pay_deadline - timedelta(seconds=1), start + paid)
            house.systems.pays(life.order.order_no, life.order.payable_minor, at)
            await _until_known(house, life, at)
            house.clocks.leave(order_workflow_id(life.order.order_no))
            progress(n + 1)
        await house.pass_until(start + timedelta(hours=hours))
        return await _found(house, hours, orders, time.monotonic() - began)


def _moments(random: Random, hours: int, orders: int) -> Sequence[tuple[timedelta, timedelta]]:
    """When each order is placed and paid; every fourth at the very end of its time."""
    step = timedelta(hours=hours) / orders
    if step < WINDOW:
        raise ValueError(f"{orders} orders in {hours} h overlap: one is played after the other, 30 minutes each")
    placed = [n * step for n in range(orders)]
    waits = [WINDOW if n % 4 == 3 else WINDOW * random.random() for n in range(orders)]
    return [(at, at + wait) for at, wait in zip(placed, waits, strict=True)]


async def _placed(house: ScenarioEnvironment, n: int) -> ScenarioOrder:
    line = LineIn(id="L1", sku=f"DAY-{n}", qty=1, unit_price=100)
    return await stocked(house, OrderIn(order_no=f"LOST-{n:04d}", lines=(line,)))


async def _until_known(house: ScenarioEnvironment, life: ScenarioOrder, paid_at: datetime) -> None:
    """Nobody calls: time passes until the loop, or the order at its deadline, has asked."""
    await house.pass_until(paid_at)
    for second in range(0, int(WINDOW.total_seconds()), 5):
        await house.delivered()
        await house.rest()
        if (await life.detail()).payments:
            return
        await house.pass_until(paid_at + timedelta(seconds=second + 5))


async def _found(house: ScenarioEnvironment, hours: int, orders: int, took_s: float) -> LostDay:
    rows = await house.pool.fetch(FOUND)
    paid = [row for row in rows if row["booked_at"] is not None and row["payment_status"] == "PAID"]
    delays = sorted((row["booked_at"] - row["paid_at"]).total_seconds() for row in paid)
    return LostDay(
        hours=hours,
        orders=orders,
        found=len(paid),
        cancelled=sum(row["status"] == "CLOSED" for row in rows),
        at_the_deadline=sum(row["via"] is None for row in paid),
        callbacks=sum(row["via"] == "callback" for row in rows),
        delayed=sum(delay > LATE_AFTER.total_seconds() for delay in delays),
        delay_p50_s=quantile(delays, 0.5),
        delay_p95_s=quantile(delays, 0.95),
        delay_max_s=delays[-1] if delays else 0.0,
        took_s=took_s,
    )


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.lost_day", description=__doc__)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--orders", type=int, default=24, help="spread over the day, each with 30 minutes to pay")
    parser.add_argument("--seed", type=int, default=1, help="draws the moments of payment (default 1)")
    parser.add_argument("--json", type=Path, default=Path("bench/results/lost-day.json"), help="file for the figures")
    options = parser.parse_args(words)
    quiet()
    found = asyncio.run(_run(options))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(asdict(found), indent=2))
    console.print(
        f"seed {options.seed}: {found.hours} h without a callback in {found.took_s:.0f} s; {found.found} of "
        f"{found.orders} payments found, {found.at_the_deadline} of them by the order at its deadline; "
        f"{found.cancelled} paid orders cancelled; delay p50 {found.delay_p50_s:.1f} s, p95 {found.delay_p95_s:.1f} s, "
        f"max {found.delay_max_s:.1f} s, {found.delayed} above {LATE_AFTER.total_seconds():.0f} s"
    )
    return 0 if found.good else 1


async def _run(options: argparse.Namespace) -> LostDay:
    with Progress(console=console) as progress:
        bar = progress.add_task("orders of the day", total=options.orders)
        async with Servers() as servers:
            return await lost_day(
                servers, options.hours, options.orders, options.seed, lambda n: progress.update(bar, completed=n)
            )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
