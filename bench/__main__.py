"""`python -m bench [--orders N] [--pairs N] [--json FILE]`: what a paid two-parcel order costs.

Orders whose parcels go in step, orders of which one warehouse is slower than the other (as in life), and an empty
workflow with as many activities, in turn, `--pairs` times, each time the other way round than before: what the machine
does beside it falls on all alike. Told are medians with their range. Counts (events, tasks, statements) hardly depend
on the machine; rates and CPU of one run are worth little, their ratio to the empty workflow more.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.demo.environment import DemoEnvironment, on_stage
from bench.demo.orders import SPEED
from bench.load import statements
from bench.load.rounds import AT_ONCE, Round, empties, idle_asked, orders
from bench.load.two_parcels import BENCH_POLICY, IN_STEP, OUT_OF_STEP, SLOW
from deploy.local import stack
from deploy.local.variables import COUNTS

console = Console(soft_wrap=True)
FAST_WORLD = {**SPEED, "SANDBOX_SPEED": "2400", **SLOW, COUNTS: "1"}
KINDS = {"in step": IN_STEP, "out of step": OUT_OF_STEP}
EMPTY = "empty workflow"


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=40, help="how many of each kind in a round (default 40)")
    parser.add_argument("--pairs", type=int, default=5, help="rounds of each kind (default 5)")
    parser.add_argument("--only", choices=list(KINDS), help="orders of this kind alone, without the empty workflow")
    parser.add_argument("--which", metavar="PROGRAM", help="print the statements that it asks most often")
    parser.add_argument("--json", type=Path, default=Path("bench/results/bench.json"), help="file for the figures")
    options = parser.parse_args(words)
    env = {**FAST_WORLD, **os.environ}
    with stack.running_stack(env, tell=lambda line: console.print(line, highlight=False)) as variables:
        os.environ.update(variables)
        found = asyncio.run(_measure(options, variables))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps([asdict(r) | {"ours_ms": r.ours_ms} for r in found], indent=2))
    _show(found, options.orders)
    console.print(f"figures: {options.json}")
    return 0


async def _measure(options: argparse.Namespace, variables: Mapping[str, str]) -> list[Round]:
    n, kinds = options.orders, [options.only] if options.only else [*KINDS, EMPTY]
    async with on_stage("bench", variables, BENCH_POLICY, patience_s=300) as stage:
        await statements.begin_counting(stage.pool)
        idle = await idle_asked(stage)
        found: list[Round] = []
        with Progress(console=console) as progress:
            bar = progress.add_task("rounds", total=options.pairs * n * len(kinds))
            for pair in range(options.pairs):
                for kind in kinds if pair % 2 == 0 else reversed(kinds):
                    found.append(await _round(stage, kind, n, idle, found, lambda: progress.advance(bar)))
        if options.which:
            for calls, text in await statements.most_frequent(stage.pool, options.which):
                console.print(f"{calls:7d}  {text[:200]}", highlight=False, markup=False)
        return found


async def _round(
    stage: DemoEnvironment,
    kind: str,
    n: int,
    idle: Mapping[str, statements.Asked],
    before: Sequence[Round],
    step: Callable[[], None],
) -> Round:
    if kind != EMPTY:
        return await orders(stage, n, kind, KINDS[kind], idle, step)
    like = next(r for r in before if r.what != EMPTY)
    return await empties(stage.temporal, n, EMPTY, like.history, step)


def _show(found: Sequence[Round], n: int) -> None:
    kinds = [kind for kind in (*KINDS, EMPTY) if any(r.what == kind for r in found)]
    rounds = {kind: [r for r in found if r.what == kind] for kind in kinds}
    title = f"medians of {len(found) // len(kinds)} rounds of {n}, {AT_ONCE} at once; in brackets the range"
    table = Table(title=title, title_justify="left")
    for column in ("an order", *kinds):
        table.add_column(column, justify="right" if column in kinds else "left")
    rows: list[tuple[str, Callable[[Round], float]]] = [
        ("a second", lambda r: r.per_second),
        *((f"CPU ms {name}", lambda r, name=name: r.cpu_ms.get(name, 0.0)) for name in found[0].cpu_ms),
        ("CPU ms without sandbox", lambda r: r.ours_ms),
        ("events of loops", lambda r: r.loop_events),
        *((name.replace("_", " "), lambda r, name=name: getattr(r.history, name)) for name in asdict(found[0].history)),
        *((f"statements {name}", lambda r, name=name: r.asked[name].statements if r.asked else 0.0)
          for name in ("worker", "relay")),
        ("statements", lambda r: r.statements),
        ("transactions of several", lambda r: r.transactions),
    ]  # fmt: skip
    for name, figure in rows:
        cells = []
        for kind in kinds:
            figures = [figure(r) for r in rounds[kind]]
            median = statistics.median(figures)
            spread = f" [{min(figures):.1f}…{max(figures):.1f}]" if max(figures) > min(figures) else ""
            cells.append(f"{median:.1f}{spread}")
        table.add_row(name, *cells)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
