"""Everything that the outside says about one order in its life: 21 messages for two parcels."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bench.load.callbacks import messages
from bench.load.callbacks.messages import Message
from bench.signing import Signers
from bench.waybills import waybill
from domain.order import StartOrder
from sandbox.core.courier_route import Scan
from sandbox.kuaidi100.parcels import TEXT

ROAD = ("103", "1002", "1002", "1002", "1002", "5", "301")
"""Collected, four times on its way, out for delivery, signed."""
PER_PARCEL = 3 + len(ROAD)


def messages_a_life(parcels: int) -> int:
    return 1 + parcels * PER_PARCEL


def life(signers: Signers, order: StartOrder, at: datetime) -> list[Message]:
    """In the order in which it happens, one second after the other; each parcel is one line of the order."""
    moments = _moments(at)
    told = [messages.paid(signers, order.order_no, order.payable_minor, next(moments))]
    for step in range(PER_PARCEL):
        moment = next(moments)
        told += [_of_parcel(signers, order, n, step, at, moment) for n in range(1, len(order.lines) + 1)]
    return told


def _of_parcel(signers: Signers, order: StartOrder, n: int, step: int, began: datetime, at: datetime) -> Message:
    line = order.lines[n - 1]
    assert line.tags is not None
    child_no, warehouse = f"{order.order_no}-{n:02d}", line.tags.warehouse
    if step < 2:
        return messages.step(signers, child_no, ("PICK", "PACKAGE")[step], at, warehouse)
    if step == 2:
        return messages.shipped(
            signers, child_no, at, warehouse, waybill(child_no), [(line.line_id, line.sku, line.qty)]
        )
    scans = [Scan(began + timedelta(seconds=4 + i), code, TEXT[code]) for i, code in enumerate(ROAD[: step - 2])]
    return messages.scanned(signers, order.order_no, waybill(child_no), scans)


def _moments(at: datetime) -> Iterator[datetime]:
    while True:
        yield at
        at += timedelta(seconds=1)
