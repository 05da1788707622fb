"""`python -m bench.scenarios FILE`: exit 0 when nothing failed, 1 when something did, 2 for an unreadable file.

Blocks are played through running workflows on skipped time (bench/scenarios/environment). Progress goes to stderr.
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import Progress

from bench.scenarios.document import Scenario, read_file
from bench.scenarios.environment import Servers
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.report import as_json, lines
from bench.scenarios.run import ScenarioResult, Verdict, run_all


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scenarios", description=__doc__)
    parser.add_argument("file", type=Path, help="a file in the format of scenarios.yaml")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="this scenario only (repeatable)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    given = parser.parse_args(arguments)
    try:
        chosen = _chosen(read_file(given.file), given.only)
    except Malformed as e:
        print(f"unable to run scenarios: {e}", file=sys.stderr)
        return 2
    quiet()
    results = asyncio.run(_play(chosen))
    print(as_json(results) if given.json else "\n".join(lines(results)))
    return 1 if any(r.verdict is Verdict.FAIL for r in results) else 0


def quiet() -> None:
    """What a play makes worker and relay log is not what one wants to read here; scripted failures are no news."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)


async def _play(scenarios: Sequence[Scenario]) -> list[ScenarioResult]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("scenarios", total=len(scenarios))
        async with Servers() as servers:
            return await run_all(scenarios, servers, tell=lambda _: progress.advance(bar))


def _chosen(scenarios: tuple[Scenario, ...], only: list[str]) -> list[Scenario]:
    if unknown := sorted(set(only) - {s.id for s in scenarios}):
        raise Malformed(f"the file has no scenario {', '.join(unknown)}")
    return [s for s in scenarios if not only or s.id in only]


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the SDK may abort at interpreter exit after a clean shutdown (docs/performance.md)
