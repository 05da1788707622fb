"""What happened, for eyes."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.checks.order_invariants import Finding, report
from bench.demo.environment import DemoEnvironment, Seen
from bench.demo.stories import DemoOrder


def show_table(console: Console, stage: DemoEnvironment, parts: Sequence[DemoOrder]) -> None:
    table = Table(title=f"{len(parts)} orders", title_justify="left")
    for column in ("order", "part", "ends", "children", "paid", "refunded"):
        table.add_column(column, justify="right" if column in ("paid", "refunded") else "left")
    for part in parts:
        seen = stage.seen.get(part.order.order_no, Seen())
        table.add_row(
            part.order.order_no, part.name, seen.status, _children(seen), _yuan(seen.paid_minor),
            _yuan(seen.refunded_minor) if seen.refunded_minor else "",
        )  # fmt: skip
    console.print(table)


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    console.print("the books against the outside systems' own ledgers:")
    for line in report(findings):
        console.print(f"  {line}", highlight=False, markup=False)


def _children(seen: Seen) -> str:
    counts = {status: seen.children.count(status) for status in dict.fromkeys(seen.children)}
    return ", ".join(f"{n} {status.lower()}" for status, n in counts.items())


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
