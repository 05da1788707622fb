"""`oms report health`, `oms report weekly`: what a month or week was like, shown, built again, or as a file."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from domain.access.desk import BuildReportNow
from domain.insight.definitions import MEASURES
from domain.insight.export import as_csv, as_xlsx, both, left_out, week_as_csv
from domain.insight.health import HealthReport
from domain.insight.periods import NoSuchPeriod, month, month_before, week, week_before
from domain.insight.weekly import WeeklyReport
from starter.cli import output
from starter.cli.connections import database
from starter.cli.desk import at_desk
from starter.cli.errors import BadInput, CommandFailed, run
from starter.cli.options import By, Json, Proof, actor
from store.insight.reports import KeptReport, ReportStore

Month = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="Month. [default: the last one]")]
Week = Annotated[str | None, typer.Option("--week", metavar="YYYY-Wnn", help="Week. [default: the last one]")]
Build = Annotated[
    bool, typer.Option("--build", help="Build it of what is known now; the same facts make no new version.")
]
Version = Annotated[int | None, typer.Option("--version", min=1, help="An older version. [default: the newest]")]
Target = Annotated[Path | None, typer.Option("--out", help="Write a file: .xlsx or .csv.")]
WeekTarget = Annotated[Path | None, typer.Option("--out", help="Write a file: .csv.")]


@dataclass(frozen=True)
class Shown:
    """`report`: of either kind, as it was built."""

    period: str
    version: int
    built_at: datetime
    report: HealthReport | WeeklyReport


def health(
    of: Month = None,
    build: Build = False,
    version: Version = None,
    out: Target = None,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Show the order health report of a month, each figure with its coverage.

    Examples:

        oms report health --month 2026-10

        oms report health --month 2026-10 --build --by u-ops

        oms report health --month 2026-10 --out october.xlsx
    """
    period = _period("health", of)
    if out is not None and out.suffix not in (".xlsx", ".csv"):
        raise BadInput(f"--out {out}: name a file that ends with .xlsx or .csv; nothing was written.")
    kept = run(_report("health", period, build, version, by, proof))
    report = HealthReport.model_validate_json(kept.text)
    if out is not None:
        out.write_bytes((as_xlsx if out.suffix == ".xlsx" else as_csv)(report, kept.version))
        output.line(f"{period}, version {kept.version}, is in {out}.")
    elif json:
        output.as_json(Shown(period, kept.version, kept.built_at, report))
    else:
        _print_health(kept, report)


def weekly(
    of: Week = None, build: Build = False, version: Version = None, out: WeekTarget = None, by: By = None,
    proof: Proof = None, json: Json = False,
) -> None:  # fmt: skip
    """Show the five worst anomalies of a week, and how unusual the way of their orders was.

    Examples:

        oms report weekly --week 2026-W43

        oms report weekly --week 2026-W43 --out worst.csv
    """
    period = _period("weekly", of)
    if out is not None and out.suffix != ".csv":
        raise BadInput(f"--out {out}: name a file that ends with .csv; nothing was written.")
    kept = run(_report("weekly", period, build, version, by, proof))
    report = WeeklyReport.model_validate_json(kept.text)
    if out is not None:
        out.write_bytes(week_as_csv(report, kept.version))
        output.line(f"{period}, version {kept.version}, is in {out}.")
        return
    if json:
        output.as_json(Shown(period, kept.version, kept.built_at, report))
        return
    output.table(
        f"Worst of {period} ({report.anomalies} anomalies), version {kept.version}",
        ("ticket", "order", "kind", "what", "points", "kind", "hours", "amount", "rarity, 0.1 bit", "h beyond p95"),
        [
            (
                e.id,
                e.order_no,
                e.kind,
                e.what,
                e.score,
                e.kind_points,
                e.hour_points,
                e.amount_points,
                e.rarity_x10,
                e.hours_beyond,
            )
            for e in report.top
        ],
    )


def _period(kind: Literal["health", "weekly"], given: str | None) -> str:
    now = datetime.now(UTC)
    try:
        if kind == "health":
            return (month(given) if given else month_before(now)).name
        return (week(given) if given else week_before(now)).name
    except NoSuchPeriod as error:
        raise BadInput(f"{error}.") from None


async def _report(
    kind: Literal["health", "weekly"], period: str, build: bool, version: int | None, by: str | None, proof: str | None
) -> KeptReport:
    if build:
        await at_desk(BuildReportNow(report=kind, period=period), actor(by), proof)
    async with database() as pool:
        found = await ReportStore(pool).read(kind, period, version)
    if found is None:
        which = "no such version" if version else "no report yet; --build makes one"
        raise CommandFailed(f"{period} has {which}.")
    return found


def _print_health(kept: KeptReport, report: HealthReport) -> None:
    output.line(
        f"{kept.period}, version {kept.version} of {kept.built_at:%Y-%m-%d %H:%M} UTC: {report.orders} orders placed, "
        f"{report.not_compared} days not compared with the sources."
    )
    rows = []
    for measure in MEASURES:
        f = report.figure(measure.key)
        rows.append(
            (both(measure.name), f.value, measure.unit.value, measure.target, f.counted, f.coverage_bp, left_out(f))
        )
    output.table("Figures", ("measure", "value", "unit", "target", "counted", "coverage bp", "left out"), rows)
    parts = [(f.key, p.name, p.value, p.counted, p.p50, p.p90) for f in report.figures for p in f.parts]
    output.table("By part", ("measure", "part", "value", "counted", "p50", "p90"), parts)
