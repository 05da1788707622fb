"""`python -m bench.faults.lives --seed N [--orders N] [--outage S]`: whole lives, told by the sandboxes, under faults
drawn from the seed.

Ends in `faults: F injected, lost L, unexpected U, duplicated D`; exit 0 only if all three are 0 and every invariant
holds.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence

from rich.console import Console

from bench.checks import order_invariants
from bench.demo.environment import on_stage
from bench.demo.orders import SPEED, provide_stock
from bench.demo.report import show_findings
from bench.demo.stories import DemoOrder, received
from bench.faults.chaos import havoc
from bench.faults.load import Load
from bench.faults.plan import draw
from bench.faults.verdict import Verdict, judge
from bench.load.two_parcels import two_parcel_orders
from deploy.local import stack
from domain.policy import Policy

console = Console(soft_wrap=True, highlight=False)
POLICY = Policy(payment_timeout_s=240, receipt_s=600, window_s=1, retry_backoff_s=(1, 2, 4), late_payment_watch_s=5)


def main(words: Sequence[str]) -> int:
    options = _options(words)
    state = f".local/faults-{os.getpid()}"
    env = {**SPEED, **os.environ, "OMS_STATE_DIR": os.environ.get("OMS_STATE_DIR") or state}
    env.setdefault("OMS_PORTS", "free")
    os.environ.update(env)
    began = time.monotonic()
    try:
        with stack.running_stack(env, tell=console.print) as variables:
            os.environ.update(variables)
            verdict = asyncio.run(_run(options, variables))
    except stack.StackFailed as error:
        console.print(f"the fault harness cannot start: {error}")
        return 1
    console.print(f"seed {options.seed}, {options.orders} orders, {time.monotonic() - began:.0f} s")
    console.print(verdict.line())
    return 0 if verdict.good else 1


async def _run(options: argparse.Namespace, variables: Mapping[str, str]) -> Verdict:
    async with on_stage("faults", variables, POLICY, patience_s=900) as stage:
        parts = [DemoOrder("load", order, received) for order in two_parcel_orders(options.orders)]
        await provide_stock(stage.pool, parts)
        drawn = draw(options.seed, [p.order.order_no for p in parts])
        for fault in drawn:
            await stage.fault(fault.sandbox, fault.operation, fault.fault, fault.times, order_no=fault.order_no)
        console.print(f"{len(drawn)} faults armed for {len(parts)} orders")
        load = Load(stage, [p.order for p in parts], options.rate)
        programme, troubles = await asyncio.gather(
            havoc(options.outage, load.under_way, console.print), load.run(console)
        )
        for trouble in troubles[:10]:
            console.print(f"NOT as played: {trouble}")
        world = await order_invariants.look(stage.pool, stage.sandboxes, stage.temporal)
        findings = order_invariants.check(world)
        show_findings(console, findings)
        return judge(world, findings, troubles, injected=len(drawn) + programme.steps)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults.lives", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="draws the faults (default 1)")
    parser.add_argument("--orders", type=int, default=600, help="600 orders make about 10,000 callbacks (default)")
    parser.add_argument("--rate", type=float, default=6.0, help="orders started a second (default 6)")
    parser.add_argument("--outage", type=float, default=60.0, help="seconds for which Temporal hangs (default 60)")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
