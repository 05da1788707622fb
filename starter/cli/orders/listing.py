"""`oms order list`: orders, newest first."""

from typing import Annotated

import typer

from domain.states import OrderStatus
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import run
from starter.cli.language import state, waits
from starter.cli.options import Json, Limit
from starter.cli.text import money
from starter.text.marking import N_
from store.orders.orders import OrderStore
from store.orders.pages import OrderFilter, OrderPage


def list_orders(
    status: Annotated[OrderStatus | None, typer.Option("--status", help="Only orders in this state.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only orders of this channel.")] = None,
    attention: Annotated[bool, typer.Option("--attention", help="Only orders that need a person.")] = False,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List orders, newest first.

    Examples:

        oms order list --attention

        oms order list --status AWAITING_SHIPMENT --channel wechat-shop --limit 20 --json
    """
    wanted = OrderFilter(status=status, channel=channel, needs_attention=attention or None)
    page = run(_read(wanted, limit))
    if json:
        output.as_json(page.orders)
    else:
        _show(page)


async def _read(wanted: OrderFilter, limit: int) -> OrderPage:
    async with database() as pool:
        return await OrderStore(pool).list(wanted, limit)


def _show(page: OrderPage) -> None:
    rows = [
        (
            order.order_no,
            order.channel,
            order.placed_at,
            state("order", order.status),
            state("payment", order.payment_status),
            money(order.payable_minor, order.currency),
            N_("yes") if order.needs_attention else "",
            waits(order.waiting_for),
        )
        for order in page.orders
    ]
    columns = ("order", "channel", "placed", "status", "payment", "payable", "attention", "waits for")
    output.table("Orders", columns, rows)
    if page.next:
        output.line(f"There are more; these are the newest {len(rows)} (see --limit).")
