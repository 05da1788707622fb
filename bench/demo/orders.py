"""Who plays: 40 orders out of a real order stream, the orders of the scenarios, and one for each mishap."""

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from bench.demo import stories
from bench.demo.return_stories import returned
from bench.demo.scenario_orders import scenario_orders
from bench.demo.stories import DemoOrder
from domain.order import PaymentTerms, StartOrder
from domain.policy import Policy
from domain.returns.enums import ReturnType
from domain.strict import parse
from starter.importer.mapping import load_mapping
from starter.importer.run import Import
from store.inbox.inbox import InboxStore
from store.stock.goods_receipts import announce
from store.stock.ledger import StockStore

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DEMO_POLICY = Policy(
    payment_timeout_s=60,
    flash_payment_timeout_s=10,
    late_payment_watch_s=20,
    receipt_s=30,
    window_s=4,
    refund_query_s=20,
    retry_backoff_s=(1, 2, 3),
    refund_spacing_s=1,
)
"""Minutes for days: the same process on short waits. Orders keep the policy that they started with."""
SPEED = {
    "SANDBOX_SPEED": "240",
    "SANDBOX_KUAIDI100_STAGES_S": "120,480,480,480",
    "SANDBOX_WECHAT_REFUND_DELAY_S": "240",
}
"""How fast the sandboxes' world turns when the demo starts them itself; what the caller has set wins."""

Receive = Callable[[StartOrder], Awaitable[None]]


def make_cast(receive: Receive) -> list[DemoOrder]:
    """All parts, with order numbers of their own so that the demo can be played again on the same data."""
    run = secrets.token_hex(2).upper()
    now = datetime.now(UTC)
    cast = [DemoOrder("order stream", order, stories.received) for order in stream_orders(now)]
    cast += [DemoOrder(f"scenario {name}", order, stories.plain) for name, order in scenario_orders(now)]
    base = parse(StartOrder, (EXAMPLES / "order.json").read_bytes())
    soon = base.payment.model_copy(update={"deadline": now + timedelta(seconds=15)})
    mishaps: list[tuple[str, stories.Script, str, dict[str, Any]]] = [
        ("paid by Alipay", stories.scanned, "COMPLETED", {"payment": PaymentTerms(channel="alipay")}),
        ("late payment", stories.late_payment, "CLOSED", {"payment": soon}),
        ("never paid", stories.never_paid, "CLOSED", {"payment": soon}),
        ("lost callback", stories.lost_callback, "COMPLETED", {"payment": soon}),
        ("warehouse outage", stories.warehouse_outage, "COMPLETED", {}),
        ("doubled callbacks", stories.doubled_callbacks, "COMPLETED", {}),
        ("cancelled", stories.cancelled, "CLOSED", {}),
        ("returned, up to 100.00", returned(stories.plain, {"L1": 1}), "COMPLETED", {}),
        ("returned, above 100.00", returned(stories.plain, {"L2": 1}), "COMPLETED", {}),
        ("everything returned", returned(stories.plain, {"L1": 2, "L2": 1}), "CLOSED", {}),
        ("exchanged", returned(stories.plain, {"L1": 1}, ReturnType.EXCHANGE), "COMPLETED", {}),
        ("backorder", stories.backorder(receive), "COMPLETED", {"lines": _without_stock(base, run)}),
    ]
    # Mishaps first: they take longest.
    cast = [DemoOrder(name, base.model_copy(update=how), play, ends) for name, play, ends, how in mishaps] + cast
    return [_numbered(part, run, n, now) for n, part in enumerate(cast, start=1)]


def stream_orders(now: datetime) -> list[StartOrder]:
    """The 40 orders of examples/superstore-40.csv through the importer, placed now."""
    imported = Import(EXAMPLES / "superstore-40.csv", load_mapping(EXAMPLES / "superstore.mapping.yaml"), placed_at=now)
    return [ready.order for ready in imported]


def _without_stock(order: StartOrder, run: str) -> tuple[Any, ...]:
    """The first line's goods under a SKU that no warehouse has."""
    first, *others = order.lines
    return (first.model_copy(update={"sku": f"NEW-{run}"}), *others)


def _numbered(part: DemoOrder, run: str, n: int, now: datetime) -> DemoOrder:
    number = f"D{run}-{n:02d}"
    order = part.order.model_copy(update={"order_no": number, "channel_order_no": number, "placed_at": now})
    return DemoOrder(part.name, order, part.play, part.ends)


async def provide_stock(pool: "asyncpg.Pool[asyncpg.Record]", cast: Sequence[DemoOrder]) -> None:
    """Goods for everybody but the backorder, as one receipt a SKU."""
    needed: Counter[tuple[str, str]] = Counter()
    for part in cast:
        for line in part.order.lines:
            if line.tags is not None and not line.sku.startswith("NEW-"):
                needed[line.sku, line.tags.warehouse] += line.qty
    stock = StockStore(pool)
    receipt = f"demo/{cast[0].order.order_no}"
    for (sku, warehouse), qty in needed.items():
        await stock.receive(sku, warehouse, qty, receipt)


def receive_missing(pool: "asyncpg.Pool[asyncpg.Record]") -> Receive:
    """Books the missing goods in and tells who waits for them, as `oms stock receive` does."""

    async def receive(order: StartOrder) -> None:
        line = order.lines[0]
        assert line.tags is not None
        stock, now = StockStore(pool), datetime.now(UTC)
        receipt = f"demo/{order.order_no}"
        await stock.receive(line.sku, line.tags.warehouse, line.qty, receipt)
        await announce(stock, InboxStore(pool), line.sku, line.tags.warehouse, receipt, now)

    return receive
