"""The parts that orders play: a plain life, and the ways in which the outside world lets a shop down."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.demo.environment import LOOK_EVERY_S, DemoEnvironment, Seen
from domain.order import StartOrder
from workflows.messages import ResolveTicket, order_workflow_id
from workflows.order.messages import CancelOrder, ConfirmReceipt

Script = Callable[[DemoEnvironment, StartOrder], Awaitable[None]]


@dataclass(frozen=True)
class DemoOrder:
    """One order and what happens to it. `ends`: the status in which its life must end."""

    name: str
    order: StartOrder
    play: Script
    ends: str = "COMPLETED"


async def plain(stage: DemoEnvironment, order: StartOrder) -> None:
    await stage.client.start(order)
    await stage.pay(order)


async def received(stage: DemoEnvironment, order: StartOrder) -> None:
    """The buyer confirms receipt as soon as everything has arrived."""
    await plain(stage, order)
    await stage.until(order.order_no, "delivery", lambda s: s.status == "DELIVERED")
    await stage.client.confirm_receipt(order.order_no, ConfirmReceipt(by="demo-buyer"))


async def scanned(stage: DemoEnvironment, order: StartOrder) -> None:
    """The buyer scans an Alipay code, looks at the price, and pays."""
    await stage.client.start(order)
    await stage.door("alipay", "_scan", {"out_trade_no": order.order_no})
    await stage.pay(order)


async def late_payment(stage: DemoEnvironment, order: StartOrder) -> None:
    """The deadline passes, the order is closed, then the money comes: it goes back, nothing ships."""
    await stage.client.start(order)
    await stage.until(order.order_no, "closing", lambda s: s.status == "CLOSED")
    await stage.pay(order, late=True)
    await stage.until(order.order_no, "the refund", lambda s: s.refunded_minor == order.payable_minor)


async def never_paid(stage: DemoEnvironment, order: StartOrder) -> None:
    await stage.client.start(order)


async def lost_callback(stage: DemoEnvironment, order: StartOrder) -> None:
    """The channel's notice never comes: at the deadline the channel is asked, and the order is kept."""
    await stage.fault("wechat", "callback", "lost_callback", order_no=order.order_no)
    await stage.client.start(order)
    await stage.pay(order)


async def warehouse_outage(stage: DemoEnvironment, order: StartOrder) -> None:
    """The warehouse fails four times; a person gets a ticket and has it tried again."""
    await stage.fault("qimen", "push", "error_before", times=4, child_no=f"{order.order_no}-01")
    await plain(stage, order)
    seen = await stage.until(order.order_no, "a ticket", lambda s: s.ticket_id is not None)
    assert seen.ticket_id is not None
    answer = ResolveTicket(ticket_id=seen.ticket_id, action="retry", remark="the warehouse is back", by="demo-operator")
    await stage.client.resolve_ticket(order.order_no, answer)


async def doubled_callbacks(stage: DemoEnvironment, order: StartOrder) -> None:
    """The channel says it twice, the warehouse out of order: everything counts once."""
    await stage.fault("wechat", "callback", "duplicate_callback", order_no=order.order_no)
    await stage.fault("qimen", "callback", "reorder_callback", order_no=order.order_no)
    await plain(stage, order)


async def cancelled(stage: DemoEnvironment, order: StartOrder) -> None:
    """The buyer changes their mind: who has to agree does, the warehouse is stopped, then the money goes back."""
    await stage.fault("tms", "book", "error_before", times=8, order_no=order.order_no)  # no label: nothing leaves yet
    await plain(stage, order)
    await stage.until(order.order_no, "payment", lambda s: bool(s.children))
    await cancel_with_consent(stage, order.order_no, CancelOrder(by="demo-buyer", reason="changed my mind"))


async def cancel_with_consent(stage: DemoEnvironment, order_no: str, message: CancelOrder) -> None:
    """Whoever is asked agrees, one after the other, until it is cancelled."""
    if (await stage.client.cancel(order_no, message)).approval_id is None:
        return
    async with asyncio.timeout(stage.patience_s):
        while stage.seen.get(order_no, Seen()).status != "CLOSED":
            await stage.office.agree(order_no, order_workflow_id(order_no))
            await asyncio.sleep(LOOK_EVERY_S)


def backorder(receive: Callable[[StartOrder], Awaitable[None]]) -> Script:
    """Goods are missing: what is there ships, the rest waits until the warehouse has received it."""

    async def script(stage: DemoEnvironment, order: StartOrder) -> None:
        await plain(stage, order)
        await stage.until(order.order_no, "a backorder", lambda s: "BACKORDER" in s.children)
        await receive(order)

    return script
