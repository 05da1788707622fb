"""Open orders, the relay in front of them, and everything that a message could have changed."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from itertools import count
from typing import Any, Self

import httpx

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.signing import SignedRequest
from domain.facts import Kind
from providers.alipay import AlipayReceiver
from providers.callbacks import Receiver
from providers.generic.receiver import GenericReceiver
from providers.kuaidi100.receiver import Kuaidi100Receiver
from providers.qimen import QimenReceiver
from providers.sf.receiver import SfReceiver
from providers.tms.receiver import TmsReceiver
from providers.wechat import WechatReceiver
from tests.providers import alipay_world, wechat_world
from tests.providers.test_generic_receiver import ERP
from tests.refusals.installations import LIVE
from tests.relay.conftest import Running, running
from tests.sandbox.qimen_world import account

RECEIVERS: Mapping[str, Receiver] = {
    "wechat": WechatReceiver(wechat_world.config()),
    "alipay": AlipayReceiver(alipay_world.config()),
    "qimen": QimenReceiver(account()),
    "tms": TmsReceiver([LIVE.webhook_secret]),
    "kuaidi100": Kuaidi100Receiver(LIVE.kuaidi100_salt),
    "sf": SfReceiver([LIVE.sf_key]),
    "erp": GenericReceiver(ERP, [LIVE.webhook_secret]),
}
"""`erp` is a source that a mapping describes: any make of system."""

STANDING = {
    "orders": "SELECT order_no, status, payment_status, paid_minor, seq FROM orders ORDER BY 1",
    "children": "SELECT child_no, status, waybill_no, seq FROM child_orders ORDER BY 1",
    "events": "SELECT order_no, key, outcome, to_status FROM order_events ORDER BY id",
    "payments": "SELECT key FROM payments ORDER BY 1",
    "inbox": "SELECT id, state FROM inbox ORDER BY id",
    "tickets": "SELECT ticket_id, state FROM tickets ORDER BY 1",
    "stock": "SELECT sku, warehouse, available, reserved, shipped FROM stock ORDER BY 1, 2",
}


class Shop:
    def __init__(self, house: ScenarioEnvironment, relay: Running) -> None:
        self.house = house
        self._relay = relay
        self._numbers = count(1)
        self.unpaid: ScenarioOrder
        self.by_alipay: ScenarioOrder
        self.on_the_road: ScenarioOrder

    @classmethod
    async def opened(cls, house: ScenarioEnvironment, stack: AsyncExitStack) -> Self:
        relay = running(house.pool, house.temporal, receivers=dict(RECEIVERS), url=house.url)
        shop = cls(house, await stack.enter_async_context(relay))
        shop.unpaid = await shop.order()
        shop.by_alipay = await shop.order(channel="alipay")
        shop.on_the_road = await shop.shipped()
        return shop

    async def order(self, channel: str = "wechat") -> ScenarioOrder:
        """Waits for its payment."""
        line = LineIn(id="L1", sku="CUP", qty=1, unit_price=12_900)
        number = OrderIn(order_no=f"SHOP-{next(self._numbers):04d}", lines=(line,))
        return await stocked(self.house, number, payment={"channel": channel, "method": "external"})

    async def shipped(self) -> ScenarioOrder:
        """Paid, and handed out by the warehouse."""
        life = await self.order()
        await life.pay()
        await life.happens(Kind.WAYBILL_RETURNED)
        return life

    async def send(self, source: str, message: SignedRequest) -> httpx.Response:
        reply = await self._relay.http.post(
            f"/hooks/{source}", params=message.params, headers=message.headers, content=message.body
        )
        await self.house.delivered()
        await self.house.rest()
        return reply

    async def standing(self) -> dict[str, list[dict[str, Any]]]:
        return {name: [dict(row) for row in await self.house.pool.fetch(sql)] for name, sql in STANDING.items()}

    async def refusals(self, source: str) -> list[tuple[str, bytes]]:
        rows = await self.house.pool.fetch(
            "SELECT reason, body_sha256 FROM inbox_refusals WHERE source = $1 ORDER BY id", source
        )
        return [(row["reason"], row["body_sha256"]) for row in rows]

    async def repeats(self) -> int:
        found: int = await self.house.pool.fetchval("SELECT count(*) FROM inbox_repeats")
        return found
