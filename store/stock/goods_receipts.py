"""Goods have come in: of a SKU and a warehouse that there are; the parcels that wait for them are told through the
inbox, like any other event."""

from datetime import datetime

from domain.fulfilment.backorders import Waiting
from store.errors import StoreError
from store.inbox.inbox import InboxStore
from store.orders.backorders import announcement
from store.pool import Pool
from store.stock.ledger import StockStore

# A shop that keeps no catalogue here tells of its goods with its orders: there is nothing to compare a number with.
KNOWN = """
SELECT NOT EXISTS (SELECT FROM skus) OR EXISTS (SELECT FROM skus WHERE sku = $1)
        OR EXISTS (SELECT FROM order_lines WHERE sku = $1) OR EXISTS (SELECT FROM stock WHERE sku = $1) AS sku,
    NOT EXISTS (SELECT FROM skus WHERE cardinality(ship_from) > 0)
        OR EXISTS (SELECT FROM skus WHERE $2 = ANY (ship_from)) OR EXISTS (SELECT FROM stock WHERE warehouse = $2)
        AS warehouse"""


class UnknownGoods(StoreError):
    """Nothing here knows the SKU, or the warehouse."""


async def insist_known(pool: Pool, sku: str, warehouse: str) -> None:
    """Raises `UnknownGoods`."""
    known = await pool.fetchrow(KNOWN, sku, warehouse)
    assert known is not None
    if not known["sku"]:
        raise UnknownGoods(
            f"SKU {sku} is in no catalogue, order or stock: nothing was booked. Put it into the catalogue first, or "
            "correct the number"
        )
    if not known["warehouse"]:
        raise UnknownGoods(
            f"no goods ship from {warehouse}, and none are there: nothing was booked. Let a SKU of the catalogue ship "
            "from it first, or correct its name"
        )


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
