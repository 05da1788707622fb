"""One order of a play: what can happen to it, and where it stands."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from bench.scenarios.environment.environment import ScenarioEnvironment
from bench.waybills import waybill
from domain.facts import Fact, Kind
from domain.order import StartOrder
from domain.states import OrderStatus
from store.inbox.inbox import Added
from store.orders.detail import OrderDetail
from workflows.messages import order_workflow_id
from workflows.order.messages import ConfirmReceipt, OrderView, Placed

COURIER = frozenset(
    {
        Kind.COLLECTED, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.SIGNED, Kind.COURIER_EXCEPTION,
        Kind.DELIVERY_REFUSED, Kind.RETURNED_TO_SENDER,
    }
)  # fmt: skip


class ScenarioOrder:
    """All times are the environment's; `OrderDetail` is what the books show."""

    def __init__(self, house: ScenarioEnvironment, order: StartOrder, placed: Placed) -> None:
        self.house = house
        self.order = order
        self.placed = placed
        self.handle = house.temporal.get_workflow_handle(order_workflow_id(order.order_no))

    @classmethod
    async def place(cls, house: ScenarioEnvironment, order: StartOrder) -> Self:
        """Through the typed client. Raises `starter.clients.errors.OrderRefused` and its kin."""
        placed = await house.client.start(order)
        await house.rest()
        return cls(house, order, placed)

    async def pay(self, at: datetime | None = None) -> None:
        """The buyer pays in full, and the channel calls."""
        if self.order.payable_minor:
            paid = self.house.systems.pays(self.order.order_no, self.order.payable_minor, at or self.house.now())
            await self.house.deliver(paid)

    async def happens(self, kind: Kind, child: int = 1, at: datetime | None = None, **more: Any) -> tuple[Added, ...]:
        """Warehouse or courier tells that something has happened to the parcel of this number."""
        return await self.house.deliver(self.fact(kind, child, at, **more))

    def fact(self, kind: Kind, child: int = 1, at: datetime | None = None, **more: Any) -> Fact:
        number = self.child_no(child)
        of_courier = kind in COURIER
        if kind is Kind.WAYBILL_RETURNED:
            more = {"waybill_no": waybill(number), "carrier": "YTO"} | more
        return Fact(
            key=f"{'kuaidi100' if of_courier else 'qimen'}:{number}:{kind}", kind=kind,
            source="kuaidi100" if of_courier else "qimen", occurred_at=at or self.house.now(), child_no=number, **more,
        )  # fmt: skip

    async def ships(self, *children: int) -> None:
        """Picked, packed and handed out by the warehouse."""
        for kind in (Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED):
            await self.house.deliver(*(self.fact(kind, n) for n in children))

    async def confirm_receipt(self, by: str = "buyer") -> None:
        await self.house.client.confirm_receipt(self.order.order_no, ConfirmReceipt(by=by))
        await self.house.rest()

    async def view(self) -> OrderView:
        """As its workflow knows it."""
        return await self.house.client.view(self.order.order_no)

    async def status(self) -> OrderStatus:
        return (await self.view()).status

    async def detail(self) -> OrderDetail:
        """As the books show it."""
        found = await self.house.orders.view(self.order.order_no)
        assert found is not None
        return found

    async def events(self) -> tuple[Mapping[str, Any], ...]:
        """What became of every fact, in turn."""
        rows = await self.house.pool.fetch(
            "SELECT key, kind, outcome, from_status, to_status, note, occurred_at, recorded_at FROM order_events "
            "WHERE order_no = $1 ORDER BY id",
            self.order.order_no,
        )
        return tuple(dict(row) for row in rows)

    def child_no(self, number: int) -> str:
        return f"{self.order.order_no}-{number:02d}"
