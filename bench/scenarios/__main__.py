"""`python -m bench.scenarios FILE`: exit 0 when nothing failed, 1 when something did, 2 for an unreadable file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.scenarios.document import Scenario, read_file
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.report import as_json, lines
from bench.scenarios.run import Verdict, run


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
    results = [run(scenario) for scenario in chosen]
    print(as_json(results) if given.json else "\n".join(lines(results)))
    return 1 if any(r.verdict is Verdict.FAIL for r in results) else 0


def _chosen(scenarios: tuple[Scenario, ...], only: list[str]) -> list[Scenario]:
    if unknown := sorted(set(only) - {s.id for s in scenarios}):
        raise Malformed(f"the file has no scenario {', '.join(unknown)}")
    return [s for s in scenarios if not only or s.id in only]


if __name__ == "__main__":
    sys.exit(main())
