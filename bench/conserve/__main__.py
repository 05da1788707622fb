"""`python -m bench.conserve [--runs N] [--seed S] [--jobs J]`: runs of the machine; what broke is made short.

Exit 0 when in every run every unit and every fen kept one owner, else 1.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from bench.conserve.jobs import make_ready, play, player
from bench.conserve.many import kind_of
from bench.conserve.run import Run
from bench.conserve.shrink import shorter
from deploy.local.postgres import temporary_postgres


def say(text: str) -> None:
    print(text, flush=True)


def main(runs: int, seed: int, *, jobs: int, beside: int, shorten: bool) -> int:
    with temporary_postgres() as postgres:
        server = postgres.url()
        asyncio.run(make_ready(server))
        tally = play(server, range(seed, seed + runs), jobs=jobs, beside=beside, tell=say)
        if shorten and tally.failed:
            asyncio.run(_shorten(server, tally.failed))
    say(", ".join(f"{name} {n}" for name, n in tally.steps.most_common()))
    steps = sum(tally.steps.values())
    say(f"conserve: {tally.runs} runs, {steps} steps, {len(tally.failed)} failed, {tally.rate:.1f} runs/s")
    return 1 if tally.failed else 0


async def _shorten(server: str, failed: Sequence[Run]) -> None:
    """The first one of each kind."""
    kinds: dict[str, Run] = {}
    for run in failed:
        kinds.setdefault(kind_of(run)[:60], run)
    async with player(server, "shortening", 1) as one:
        for run in kinds.values():
            least = await shorter(one, run)
            say(f"\nseed {run.seed}: {least.what[:2000]}")
            for step in least.steps:
                say(f"    {step},")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.conserve")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes; else one a core")
    parser.add_argument("--beside", type=int, default=4, help="runs at the same time in each of them")
    parser.add_argument("--no-shortening", action="store_true", help="only say which seeds fail")
    given = parser.parse_args()
    sys.exit(main(given.runs, given.seed, jobs=given.jobs, beside=given.beside, shorten=not given.no_shortening))
