"""Goods have come in: the parcels that wait for them are told through the inbox, like any other event."""

from datetime import datetime

from domain.fulfilment.backorders import Waiting
from store.inbox.inbox import InboxStore
from store.orders.backorders import announcement
from store.stock.ledger import StockStore


async def announce(
    stock: StockStore, inbox: InboxStore, sku: str, warehouse: str, ref: str, now: datetime
) -> tuple[str, ...]:
    """Tell every waiting parcel of `sku` in `warehouse`, longest paid first; returns their numbers.

    All are told, not only as many as the goods suffice for: who gets them is decided when each tries to reserve all it
    misses, and who paid first comes first. A receipt tells a parcel once, however often it is announced.
    """
    waiting = await stock.waiting_backorders(sku, warehouse)
    children = {child.child_no: Waiting(child.order_no, child.child_no, {}) for child in waiting}
    await inbox.add_many([announcement(child, ref, sku, now) for child in children.values()])
    return tuple(children)
