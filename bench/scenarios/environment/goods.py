"""Goods of a play leave the warehouse and reach the buyer."""

from collections.abc import Collection

from bench.scenarios.environment.order import ScenarioOrder
from domain.facts import Kind
from domain.states import ChildStatus

GONE = frozenset(
    {
        ChildStatus.SHIPPED, ChildStatus.IN_TRANSIT, ChildStatus.OUT_FOR_DELIVERY, ChildStatus.SIGNED,
        ChildStatus.CANCELLED, ChildStatus.REFUSED,
    }
)  # fmt: skip


async def hand_out(life: ScenarioOrder, *, without: Collection[str] = ()) -> None:
    """Every parcel that has not left is shipped and signed for, except those with one of these lines."""
    for child in (await life.detail()).children:
        lines = child["lines"] or {}
        if child["status"] in GONE or set(lines) & set(without):
            continue
        number = int(child["child_no"].rpartition("-")[2])
        if child["status"] == ChildStatus.BACKORDER:
            await _goods_arrive(life, child["child_no"], lines)
        await life.ships(number)
        await life.happens(Kind.SIGNED, number)


async def _goods_arrive(life: ScenarioOrder, child_no: str, lines: dict[str, int]) -> None:
    rows = {line["line_id"]: line for line in (await life.detail()).lines}
    for line_id, qty in lines.items():
        row = rows[line_id]
        await life.house.stock.receive(row["sku"], row["warehouse"], qty, f"goods for {child_no}/{line_id}")
    number = int(child_no.rpartition("-")[2])
    await life.happens(Kind.STOCK_ARRIVED, number)
