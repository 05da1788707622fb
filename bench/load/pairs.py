"""`python -m bench.load.pairs [--pairs N]`: what seals and encryption cost an order, in processor time.

Runs `python -m bench` with them and without, one after the other, N times, each pair the other way round than the one
before: what the machine does beside it, and how warm it is, falls on both sides alike. Told are the medians, and the
median of the differences within a pair with its range: a difference whose range goes through zero is none. On a busy
machine it is worth nothing, so it does not begin there.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from config.sources import ROOT
from deploy.local.variables import CLEAR, UNSEALED

console = Console(soft_wrap=True, highlight=False)
ARMS: Mapping[str, Mapping[str, str]] = {"with": {}, "without": {UNSEALED: "1", CLEAR: "1"}}
QUIET = 3.0
"""Load average of the last minute."""
RUN_S = 1_800.0
TOTAL = "together"


class RunFailed(RuntimeError):
    """One run of the bench did not come to its end."""


@dataclass(frozen=True)
class Compared:
    """Milliseconds an order: medians, and of the differences within a pair the median and both ends."""

    program: str
    with_ms: float
    without_ms: float
    more_ms: float
    least_ms: float
    most_ms: float


def compare(pairs: Sequence[Mapping[str, Mapping[str, float]]]) -> list[Compared]:
    """`pairs`: by arm, by program."""
    programs = list(pairs[0]["with"])
    found = []
    for program in (*programs, TOTAL):
        both = [
            tuple(sum(pair[arm].values()) if program == TOTAL else pair[arm][program] for arm in ARMS) for pair in pairs
        ]
        more = [with_ms - without_ms for with_ms, without_ms in both]
        with_ms, without_ms = (statistics.median(side) for side in zip(*both, strict=True))
        found.append(Compared(program, with_ms, without_ms, statistics.median(more), min(more), max(more)))
    return found


async def _run(arm: str, orders: int, figures: Path) -> dict[str, float]:
    """A stack of this arm's own, brought up and ended by the run."""
    env = {**os.environ, **ARMS[arm], "OMS_STATE_DIR": f".local/pairs-{arm}", "OMS_PORTS": "free"}
    words = ("-m", "bench", "--only", "in step", "--pairs", "1", "--orders", str(orders), "--json", str(figures))
    run = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(RUN_S):
        said, _ = await run.communicate()
    if run.returncode:
        raise RunFailed(f"a run {arm} them ended with {run.returncode}: {said.decode()[-300:]}")
    spent: dict[str, float] = json.loads(await asyncio.to_thread(figures.read_text))[0]["cpu_ms"]
    return spent


async def measure(pairs: int, orders: int) -> list[dict[str, dict[str, float]]]:
    """Raises `RunFailed`."""
    found = []
    with tempfile.TemporaryDirectory(prefix="oms-pairs-") as folder:
        for n in range(pairs):
            pair: dict[str, dict[str, float]] = {}
            for arm in list(ARMS) if n % 2 == 0 else list(ARMS)[::-1]:
                pair[arm] = await _run(arm, orders, Path(folder) / "figures.json")
                told = ", ".join(f"{name} {ms:.1f}" for name, ms in pair[arm].items())
                console.print(f"pair {n + 1}, {arm} seals and encryption: {told} ms")
            found.append(pair)
    return found


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load.pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=6, help="how many (default 6)")
    parser.add_argument("--orders", type=int, default=60, help="in each run (default 60)")
    parser.add_argument("--json", type=Path, default=Path("bench/results/pairs.json"), help="file for the figures")
    parser.add_argument("--anyway", action="store_true", help="on a busy machine, too: to see that it runs")
    options = parser.parse_args(words)
    busy = os.getloadavg()[0]
    if busy > QUIET and not options.anyway:
        console.print(
            f"the machine is busy (load {busy:.1f}, at most {QUIET:.0f}): what would be measured is the others"
        )
        return 1
    try:
        pairs = asyncio.run(measure(options.pairs, options.orders))
    except (RunFailed, TimeoutError) as error:
        console.print(f"nothing was measured: {error}")
        return 1
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(pairs, indent=2))
    table = Table(title=f"CPU an order in ms, {options.pairs} pairs", title_justify="left")
    for column in ("", "with", "without", "more", "range"):
        table.add_column(column, justify="right" if column else "left")
    for row in compare(pairs):
        told = (f"{ms:.1f}" for ms in (row.with_ms, row.without_ms, row.more_ms))
        table.add_row(row.program, *told, f"{row.least_ms:+.1f} … {row.most_ms:+.1f}")
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
