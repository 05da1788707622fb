"""The warehouse sandbox goes on after a restart as if nothing had happened."""

from collections.abc import Callable
from pathlib import Path

from domain.facts import Kind
from providers.qimen import CancelResult
from tests.sandbox.callback_sink import until
from tests.sandbox.qimen_world import (
    CHILD,
    NEVER,
    Ears,
    World,
    outbound,
    until_status,
    warehouse,
)

WHOLE_WAY = [Kind.WMS_ACCEPTED, Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED]
PICKED = f"0.01,0.01,{NEVER},{NEVER}"
"""Stops after picking."""


async def cancel(world: World) -> CancelResult:
    return await world.wms.cancel(CHILD, warehouse="HZ01", reason="buyer")


def heard(world: World, kind: Kind) -> Callable[[], bool]:
    return lambda: kind in world.ears.kinds()


async def test_work_and_reports_survive_a_restart(tmp_path: Path) -> None:
    ears = Ears(down=10_000)
    async with warehouse(stages_s=PICKED, data_dir=tmp_path, ears=ears, speed=1.0) as world:
        first = await world.wms.push(outbound())
        await until_status(world, "PICK")
    ears.down = 0
    async with warehouse(data_dir=tmp_path, ears=ears) as world:
        assert (await world.wms.push(outbound())).delivery_order_id == first.delivery_order_id
        await until(heard(world, Kind.WAYBILL_RETURNED))
        assert len(await world.rows("push")) == 1
        assert len(await world.rows("ship")) == 1


async def test_a_report_that_a_kill_kept_from_the_journal_is_made_up_for(tmp_path: Path) -> None:
    async with warehouse(stages_s=PICKED, data_dir=tmp_path, ears=Ears(down=10_000)) as world:
        await world.wms.push(outbound())
        await until_status(world, "PICK")
    journal = tmp_path / "qimen.jsonl"
    rows = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(row for row in rows if '"callback' not in row or ":PICK" not in row))
    async with warehouse(stages_s=PICKED, data_dir=tmp_path) as world:
        await until(heard(world, Kind.PICKING))


async def test_a_pending_cancellation_survives_a_restart(tmp_path: Path) -> None:
    async with warehouse(stages_s=PICKED, data_dir=tmp_path, CANCEL_S=NEVER) as world:
        await world.wms.push(outbound())
        await until(heard(world, Kind.PICKING))
        assert await cancel(world) is CancelResult.PENDING
    async with warehouse(stages_s=PICKED, data_dir=tmp_path) as world:
        await until(heard(world, Kind.INTERCEPTED))
