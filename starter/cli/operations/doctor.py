"""`oms doctor`: does every unit and every fen have one owner, and does everything that is open go on?"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import typer

from config.processes import Process
from config.walls import WallOff, walls_off
from domain.ownership import OwnershipViolation
from starter.cli import output
from starter.cli.connections import database, temporal
from starter.cli.errors import COULD_NOT, BadInput, run
from starter.cli.options import Json, order_number
from starter.cli.progress import progress
from starter.open_work import OpenWork, Trouble
from starter.standing_walls import standing
from store.open_work import OpenWorkStore
from store.ownership.check import OwnershipStore
from store.pool import Pool

Number = Annotated[str | None, typer.Argument(metavar="[ORDER_NO]", help="Only this order. [default: all open ones]")]
Ended = Annotated[bool, typer.Option("--all", help="Ended orders as well.")]


@dataclass
class Diagnosis:
    looked_at: int = 0
    moving: int = 0
    """Orders that wrote within the last minutes: they may be half way, and were left alone."""
    ownership: list[OwnershipViolation] = field(default_factory=list)
    running: tuple[Trouble, ...] = ()
    walls_off: tuple[WallOff, ...] = ()
    """Told, and no matter of health: a developer's stack has none of them."""

    @property
    def healthy(self) -> bool:
        return not self.ownership and not self.running


def doctor(order_no: Number = None, ended: Ended = False, json: Json = False) -> None:
    """Look for units and money without an owner, or with two, and for work that does not go on.

    Every paid unit is waiting or reserved, on its way or delivered, refunded, held by an open return, or named by an
    open ticket: exactly one of them. Every fen that came in covers such a unit, was given back, is in dispute, or is
    named by an open ticket. What is open in the books runs in Temporal, and the other way round; nothing that was
    delivered stays unheard; no workflow task or activity fails for minutes. Nothing is changed.
    Exit code 0: healthy, 1: not. Which walls are off (docs/security.md) is told beside it.

    Examples:

        oms doctor

        oms doctor SO26112001

        oms doctor --all --json
    """
    report = run(_examine(order_no, ended_too=ended, quiet=json))
    if json:
        output.as_json(_plain(report))
    else:
        _print(report)
    if not report.healthy:
        raise typer.Exit(COULD_NOT)


async def _examine(number: str | None, *, ended_too: bool, quiet: bool) -> Diagnosis:
    now, report = datetime.now(UTC), Diagnosis()
    client = await temporal()
    async with database() as pool:
        report.walls_off = (*walls_off(Process.OPERATOR), *await standing(client, pool))
        if number is not None:
            await _one(pool, order_number(number), now, report)
            report.running = await OpenWork(pool, client, now).one(number)
            return report
        store = OwnershipStore(pool)
        total = await store.count(ended_too=ended_too)
        with progress("units and money", total, quiet=quiet) as show:
            async for page in store.open_orders(ended_too=ended_too):
                await _look(store, page, now, report)
                show(report.looked_at)
        with progress("workflows", await OpenWorkStore(pool).count(), quiet=quiet) as show:
            report.running = await OpenWork(pool, client, now, show).all()
    return report


async def _one(pool: Pool, number: str, now: datetime, report: Diagnosis) -> None:
    if not await OpenWorkStore(pool).family(number):
        raise BadInput(f"order {number} is not in the books; check the number.")
    await _look(OwnershipStore(pool), (number,), now, report)


async def _look(store: OwnershipStore, page: tuple[str, ...], now: datetime, report: Diagnosis) -> None:
    report.ownership += await store.violations(page, now)
    report.looked_at += len(page)
    report.moving += len(page) - len(await store.at_rest(page, now))


def _plain(report: Diagnosis) -> dict[str, object]:
    owners = [
        {**v.model_dump(mode="json"), "unit": v.unit, "what": v.what, "next_step": v.next_step}
        for v in report.ownership
    ]
    return {
        "healthy": report.healthy, "looked_at": report.looked_at, "moving": report.moving, "ownership": owners,
        "running": report.running, "walls_off": report.walls_off,
    }  # fmt: skip


def _print(report: Diagnosis) -> None:
    columns = ("order", "line", "unit", "sku", "what it is", "what next")
    rows = [(v.order_no, v.line_id, v.unit, v.sku, v.what, v.next_step) for v in report.ownership]
    output.table("Units and money without one owner", columns, rows)
    work = [(t.id, t.since, t.what, t.next_step) for t in report.running]
    output.table("Work that does not go on", ("id", "since", "what it is", "what next"), work)
    off = [(wall.name, wall.what) for wall in report.walls_off]
    output.table("Walls that are off", ("wall", "what can happen"), off)
    moving = f" ({report.moving} still moving, left alone)" if report.moving else ""
    verdict = "healthy" if report.healthy else "not healthy"
    output.line(f"{report.looked_at} orders looked at{moving}: {verdict}. Units are counted from 0.")
