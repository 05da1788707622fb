"""Goods have come in: the parcels that wait for them are told through the inbox, like any other event."""

import hashlib
import json
from datetime import datetime

from domain.facts import Fact, Kind
from store.inbox import InboxStore, Incoming
from store.stock import StockStore

SOURCE = "stock"


async def announce(
    stock: StockStore, inbox: InboxStore, sku: str, warehouse: str, ref: str, now: datetime
) -> tuple[str, ...]:
    """Tell every waiting parcel of `sku` in `warehouse`, longest paid first; returns their numbers.

    All are told, not only as many as the goods suffice for: each tries to reserve all it misses, and only then is it
    known who goes away empty. A receipt tells a parcel once, however often it is announced.
    """
    waiting = await stock.waiting_backorders(sku, warehouse)
    children = {child.child_no: child.order_no for child in waiting}
    await inbox.add_many([_message(no, order_no, ref, sku, now) for no, order_no in children.items()])
    return tuple(children)


def _message(child_no: str, order_no: str, ref: str, sku: str, now: datetime) -> Incoming:
    key = f"stock:{child_no}:{ref}:{sku}"
    fact = Fact(
        key=key, kind=Kind.STOCK_ARRIVED, source=SOURCE, occurred_at=now, order_no=order_no, child_no=child_no, note=ref
    )
    # The body must not hold the time: the same announcement made again is a repeat, not a contradiction.
    body = json.dumps({"ref": ref, "sku": sku, "child_no": child_no}, sort_keys=True).encode()
    digest = hashlib.sha256(body).digest()
    return Incoming(SOURCE, key, fact.kind, digest, body, (fact,), now, via="query")
