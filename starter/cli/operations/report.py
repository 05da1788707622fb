"""`oms report`: how well the books keep up with the world."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from domain.polling.reconciling import day_before
from domain.records import AuditEntry
from starter.cli import output
from starter.cli.connections import database, temporal
from starter.cli.errors import BadInput, run
from starter.cli.options import By, Json, actor
from starter.cli.text import SHANGHAI
from starter.clients.comparing import compare_now
from starter.text.marking import N_
from store.audit.audit import AuditStore
from store.dispatch.deadlines import DispatchShare, DispatchStore
from store.polling.measures import DayReport, MeasureStore

Day = Annotated[str | None, typer.Option("--day", metavar="YYYY-MM-DD", help="Day in Shanghai. [default: yesterday]")]


def reconcile(
    day: Day = None,
    now: Annotated[bool, typer.Option("--now", help="Begin one now: since yesterday, with everybody's books.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Show a day's reconciliation: what differed, what has healed, how late we knew. Or begin one.

    Examples:

        oms report reconcile

        oms report reconcile --day 2026-03-02 --json

        oms report reconcile --now --by u-fin
    """
    if now:
        run(_compare(actor(by)))
        output.line("The comparison has begun. Look with `oms report reconcile`; what does not heal is a ticket.")
        return
    report = run(_report(day))
    if json:
        output.as_json(report)
    else:
        _print(report)


def dispatch(day: Day = None, json: Json = False) -> None:
    """Show how much of what was promised to leave on a day left in time.

    Example: oms report dispatch --day 2026-03-02
    """
    found = run(_dispatched(day))
    if json:
        output.as_json(found)
        return
    decided = found.on_time + found.late
    share = f"{found.on_time * 10_000 // decided} of 10000" if decided else N_("nothing to measure")
    output.facts(
        [
            ("on time", f"{found.on_time} ({share})"),
            ("late", str(found.late)),
            ("may still be in time, not counted", str(found.undecided) if found.undecided else ""),
        ]
    )


async def _dispatched(given: str | None) -> DispatchShare:
    begins = datetime.combine(_day(given), time(), SHANGHAI)
    async with database() as pool:
        return await DispatchStore(pool).share(begins, begins + timedelta(days=1))


def _day(given: str | None) -> date:
    if given is None:
        return day_before(datetime.now(UTC)).date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise BadInput(f"--day {given!r} is no day; write it as 2026-03-02.") from None


async def _compare(who: str) -> None:
    """Raises `ComparisonNotAsked`."""
    at = datetime.now(UTC)
    today = datetime.combine(at.date(), time(), UTC)
    async with database() as pool:
        await compare_now(await temporal(), await MeasureStore(pool).asked_since(today))
        entry = AuditEntry(actor=who, action="reconcile.asked", detail={"since": f"{today:%Y-%m-%d}"})
        await AuditStore(pool).append(entry, at)


async def _report(given: str | None) -> DayReport:
    day = _day(given)
    async with database() as pool:
        return await MeasureStore(pool).day(day)


def _print(report: DayReport) -> None:
    done = report.reconciled
    if done is None:
        output.line(f"{report.day} has not been reconciled (it is at 03:30 the morning after).")
    else:
        output.line(
            f"{report.day}: {done.looked_at} orders compared, {done.asked} questions asked, "
            f"{done.unanswered} left without an answer."
        )
    output.table(
        "In step within 300 s (target 9950 of 10000)",
        ("source", "transitions", "in step", "of 10000"),
        [(a.source, a.transitions, a.in_step, a.accuracy_bp) for a in report.accuracy],
    )
    output.table(
        "Payments known more than 300 s late (at most 2000 ppm)",
        ("channel", "paid", "late", "ppm", "worst, s"),
        [(d.channel, d.paid, d.delayed, d.delayed_ppm, d.worst_s) for d in report.delays],
    )
    output.table(
        "Differences",
        ("order", "kind", "of", "there", "in our books", "found", "healed"),
        [(d.order_no, d.kind, d.number, d.expected, d.found, d.found_at, d.healed_at) for d in report.drifts],
    )
    output.table(
        "Connectors now",
        ("connector", "last tick", "last answer", "failed ticks", "asked", "found", "error"),
        [
            (c.connector, c.ticked_at, c.answered_at, c.failed_ticks, c.asked, c.found, c.error)
            for c in report.connectors
        ],
    )
