"""`python -m bench.demo`: plays real orders through the local stack to their ends and checks the books. Exit 0 only if
every order ended as its part says and every invariant holds."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence

from rich.console import Console

from bench.checks import order_invariants, return_invariants
from bench.demo.environment import DemoEnvironment, on_stage
from bench.demo.orders import DEMO_POLICY, SPEED, make_cast, provide_stock, receive_missing
from bench.demo.report import show_findings, show_table
from bench.demo.runner import play
from bench.demo.staffing import STAFF
from bench.demo.stories import DemoOrder
from deploy.local import stack

console = Console(soft_wrap=True)


def main(words: Sequence[str]) -> int:
    options = _options(words)
    env = {**SPEED, **os.environ}
    started = time.monotonic()
    try:
        with stack.running_stack(env, tell=lambda line: console.print(line, highlight=False)) as variables:
            os.environ.update(variables)
            code = asyncio.run(_demo(options, variables))
    except stack.StackFailed as error:
        console.print(f"the demo cannot start: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    verdict = "all is well" if code == 0 else "NOT as it should be"
    console.print(f"demo: {verdict}, took {time.monotonic() - started:.0f} s")
    console.print("look around: `make up` starts the same stack with all its data, `make down` ends it")
    url, web_ui = variables.get("OMS_CONSOLE_URL"), variables.get("OMS_TEMPORAL_UI_URL")
    console.print(f"then: web console {url} (`make up` prints a sign-in link a role), Temporal's Web UI {web_ui}")
    return code


async def _demo(options: argparse.Namespace, variables: Mapping[str, str]) -> int:
    async with on_stage("demo", variables, DEMO_POLICY) as stage:
        parts = make_cast(receive_missing(stage.pool))
        await provide_stock(stage.pool, parts)
        await stage.office.hire(STAFF)
        troubles = await play(stage, parts, console, kill_worker=options.kill_worker)
        return await _judge(stage, parts, troubles)


async def _judge(stage: DemoEnvironment, parts: Sequence[DemoOrder], troubles: Sequence[str]) -> int:
    show_table(console, stage, parts)
    for trouble in troubles:
        console.print(f"NOT as played: {trouble}", style="red")
    world = await order_invariants.look(stage.pool, stage.sandboxes, stage.temporal)
    findings = [*order_invariants.check(world), *await return_invariants.check(stage.pool)]
    show_findings(console, findings)
    return 0 if not troubles and all(f.holds for f in findings) else 1


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.demo", description=__doc__)
    parser.add_argument("--kill-worker", action="store_true", help="SIGKILL the worker in the middle")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
