"""A paid order whose children people want to change, with the people who may."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from domain.approvals import Role
from domain.catalog.records import SkuRecord
from domain.fulfilment.reallocation import Part
from domain.order import Address, Buyer, FreightCharge, OrderLine, SkuTags, StartOrder
from starter.clients.approvals import ApprovalClient
from store.stock.catalog import CatalogStore
from workflows.messages import ResolveTicket
from workflows.order.changes.messages import Requested, RequestMerge, RequestResplit

ORDER = "SO26030214"
ADDRESS = Address(recipient="王芳", phone="13800138000", province="浙江省", city="杭州市", street="文三路 1 号")
CHILD = {n: f"{ORDER}-{n:02d}" for n in range(1, 10)}


def line(n: int, qty: int = 1, price: int = 1_000, **tags: str) -> OrderLine:
    """Logistics `b1`, `b2` … would split; here the warehouse does, unless told otherwise."""
    made = {"warehouse": "WH-1"} | tags
    return OrderLine(line_id=f"L{n}", sku=f"SKU-{n}", qty=qty, unit_price_minor=price, tags=SkuTags(**made))


@dataclass
class Desk:
    """`u-ops`, who is a supervisor too, asks; `u-sup` and `u-sup2` are supervisors."""

    house: ScenarioEnvironment
    life: ScenarioOrder

    async def merge(self, *children: int, remark: str = "the buyer asks for one parcel", **more: Any) -> str:
        """The number of the approval that it waits for."""
        message = RequestMerge(
            children=tuple(CHILD[n] for n in children), remark=remark, by=more.pop("by", "u-ops"), **more
        )
        asked: Requested = await self.house.client.request_merge(ORDER, message)
        return asked.approval_id

    async def resplit(self, children: Sequence[int], *parts: dict[str, int], **more: Any) -> str:
        message = RequestResplit(
            children=tuple(CHILD[n] for n in children), into=tuple(Part(lines=p) for p in parts),
            remark=more.pop("remark", "too heavy for one"), by=more.pop("by", "u-ops"),
        )  # fmt: skip
        asked: Requested = await self.house.client.request_resplit(ORDER, message)
        return asked.approval_id

    async def approve(self, approval_id: str, person: str = "u-sup", verdict: str = "approve") -> None:
        office = self.house.office
        approval = await office.approvals.get(approval_id)
        assert approval is not None
        await office.decide(ApprovalClient(self.house.temporal), approval, person, verdict)
        await self.house.rest()

    async def children(self) -> dict[str, Any]:
        return {c["child_no"]: c for c in (await self.life.detail()).children}

    async def statuses(self) -> dict[int, str]:
        return {int(number[-2:]): c["status"] for number, c in (await self.children()).items()}

    async def stock(self) -> dict[str, tuple[int, int, int]]:
        """Available, reserved, shipped by SKU and warehouse."""
        return {f"{b.sku}@{b.warehouse}": (b.available, b.reserved, b.shipped) for b in await self.house.stock.show()}

    async def paid(self) -> int:
        return sum(c["paid_minor"] for c in (await self.children()).values())

    async def answer(self, step: str, action: Any, result: dict[str, Any] | None = None) -> None:
        """Resolves the one open ticket of this step."""
        (ticket,) = [t for t in await self.house.tickets.list(order_no=ORDER) if t.step == step]
        message = ResolveTicket(ticket_id=ticket.ticket_id, action=action, remark="seen", by="u-ops", result=result)
        await self.house.client.resolve_ticket(ORDER, message)
        await self.house.rest()

    async def steps(self) -> list[str]:
        return [t.step for t in await self.house.tickets.list(order_no=ORDER)]

    async def notes(self) -> list[str]:
        return [t.error for t in await self.house.tickets.list(order_no=ORDER)]


@asynccontextmanager
async def desk(
    servers: Servers,
    *lines: OrderLine,
    extra_stock: dict[tuple[str, str], int] | None = None,
    catalogue: Sequence[SkuRecord] = (),
    paid: bool = True,
) -> AsyncIterator[Desk]:
    """Lines with tags have their goods in stock; of others the catalogue tells, and `extra_stock` holds them."""
    async with servers.house() as house:
        await CatalogStore(house.pool).put(catalogue, "tests", house.now())
        for each in lines:
            if each.tags is not None:
                await house.receive(each.sku, each.tags.warehouse, each.qty)
        for (sku, warehouse), qty in (extra_stock or {}).items():
            await house.receive(sku, warehouse, qty)
        await house.office.open_for_business()
        await house.office.people.set_role("u-ops", Role.CS_SUPERVISOR, True, "u-admin", house.now())
        order = StartOrder(
            order_no=ORDER, channel="shop", channel_order_no=f"C-{ORDER}", placed_at=datetime.now(UTC),
            buyer=Buyer(buyer_id="b-1"),
            address=ADDRESS,
            lines=lines, freight=(FreightCharge(amount_minor=101),),
            payable_minor=sum(each.qty * each.unit_price_minor for each in lines) + 101,
        )  # fmt: skip
        life = await ScenarioOrder.place(house, order)
        if paid:
            await life.pay()
        yield Desk(house, life)
