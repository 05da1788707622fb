"""Orders whose goods lie in several warehouses, or cross the border, from placing to shipping (R37, R38)."""

from typing import Any

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from domain.catalog.records import SkuRecord, Tax
from domain.facts import Fact, Kind
from domain.fulfilment.explanation import replay
from domain.order import StartOrder
from domain.strict import of
from store.orders.customs import CustomsStore
from store.orders.plans import PlanStore
from store.stock.catalog import CatalogStore
from workflows.messages import ResolveTicket


async def placed(house: ScenarioEnvironment, lines: list[dict[str, Any]], number: str = "SO-SRC-1") -> ScenarioOrder:
    message = {
        "order_no": number, "channel": "shop", "channel_order_no": number, "placed_at": house.now().isoformat(),
        "buyer": {"buyer_id": "b-1"}, "lines": lines,
        "address": {"recipient": "-", "phone": "10000000", "province": "浙江省", "city": "杭州市", "street": "-"},
        "payable_minor": sum(line["qty"] * line["unit_price_minor"] for line in lines),
    }  # fmt: skip
    return await ScenarioOrder.place(house, of(StartOrder, message))


async def catalogue(house: ScenarioEnvironment, *records: SkuRecord) -> None:
    await CatalogStore(house.pool).put(records, "test", house.now())


async def balances(house: ScenarioEnvironment) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Available, reserved, shipped."""
    return {(b.sku, b.warehouse): (b.available, b.reserved, b.shipped) for b in await house.stock.show()}


async def test_goods_leave_the_warehouse_that_was_chosen_for_them(servers: Servers) -> None:
    async with servers.house() as house:
        await catalogue(house, SkuRecord(sku="A", ship_from=("WH-1", "WH-2")), SkuRecord(sku="B", ship_from=("WH-2",)))
        for sku, warehouse, qty in (("A", "WH-1", 2), ("A", "WH-2", 3), ("B", "WH-2", 1)):
            await house.receive(sku, warehouse, qty)
        lines = [
            {"line_id": "L1", "sku": "A", "qty": 4, "unit_price_minor": 500},
            {"line_id": "L2", "sku": "B", "qty": 1, "unit_price_minor": 500},
        ]
        life = await placed(house, lines)
        await life.pay()
        children = (await life.detail()).children
        assert [(c["warehouse"], c["lines"]) for c in children] == [("WH-1", {"L1": 2}), ("WH-2", {"L1": 2, "L2": 1})]
        await life.ships(1, 2)
        assert (await life.detail()).order.status == "SHIPPED"
        assert await balances(house) == {
            ("A", "WH-1"): (0, 0, 2), ("A", "WH-2"): (1, 0, 2), ("B", "WH-2"): (0, 0, 1),
        }  # fmt: skip
        kept = await PlanStore(house.pool).explanation(life.child_no(2))
        assert kept is not None and replay(kept.explanation) == kept.explanation.plan


async def test_cross_border_children_of_one_order_are_held_together_over_the_limit_and_one_given_up_frees_the_other(
    servers: Servers,
) -> None:
    async with servers.house() as house:
        tax = Tax(vat_bp=1300, ct_bp=0)
        await catalogue(
            house,
            SkuRecord(sku="A", ship_from=("BW-1",), customs="cbec", tax=tax),
            SkuRecord(sku="B", ship_from=("BW-2",), customs="cbec", tax=tax),
        )
        await house.receive("A", "BW-1", 1)
        await house.receive("B", "BW-2", 2)
        lines = [
            {"line_id": "L1", "sku": "A", "qty": 1, "unit_price_minor": 300_000},
            {"line_id": "L2", "sku": "B", "qty": 2, "unit_price_minor": 150_000},
        ]
        life = await placed(house, lines)
        await life.pay()
        tickets = await house.tickets.list(state="open", order_no="SO-SRC-1")
        assert sorted((t.step, t.child_no) for t in tickets if t.child_no) == [
            ("limit", life.child_no(1)), ("limit", life.child_no(2)),
        ]  # fmt: skip
        assert house.systems.declared == {} and house.systems.pushed == []
        by_child = {t.child_no: t.ticket_id for t in tickets}
        await answer(house, by_child[life.child_no(1)], "give_up")
        await answer(house, by_child[life.child_no(2)], "retry")
        assert list(house.systems.declared) == [life.child_no(2)]
        assert await CustomsStore(house.pool).used("b-1", house.now()) == 300_000
        released = Fact(
            key="broker:1:CUSTOMS_RELEASED", kind=Kind.CUSTOMS_RELEASED, source="broker", occurred_at=house.now(),
            child_no=life.child_no(2),
        )  # fmt: skip
        await house.deliver(released)
        assert house.systems.pushed == [life.child_no(2)]
        assert list(house.systems.refunds.values()) == [300_000]


async def answer(house: ScenarioEnvironment, ticket_id: str, action: Any) -> None:
    await house.client.resolve_ticket(
        "SO-SRC-1", ResolveTicket(ticket_id=ticket_id, action=action, remark="seen", by="ops")
    )
    await house.rest()
