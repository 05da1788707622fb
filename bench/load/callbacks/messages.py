"""What the outside systems say about any order, without their sandboxes' own story."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bench.signing import SignedRequest, Signers
from sandbox.core.courier_route import Scan
from sandbox.kuaidi100 import wire as kuaidi100
from sandbox.kuaidi100.parcels import Parcel
from sandbox.qimen import reports
from sandbox.qimen.state import Line, Order


@dataclass(frozen=True)
class Message:
    """What is told; `sign` signs it for the moment of sending, as providers do for every attempt. The same `body` is
    the same message: its hash is what both sides' ledgers know it by."""

    source: str
    order_no: str
    body: bytes
    sign: Callable[[datetime], SignedRequest]

    @property
    def id(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def paid(signers: Signers, order_no: str, amount_minor: int, at: datetime) -> Message:
    """WeChat: TRANSACTION.SUCCESS."""
    body = signers.wechat_payment(order_no, amount_minor, at)
    return Message("wechat", order_no, body, lambda now: signers.wechat(body, now))


def step(signers: Signers, child_no: str, status: str, at: datetime, warehouse: str) -> Message:
    """Qimen: one step of the work, PICK or PACKAGE."""
    return _qimen(signers, reports.PROCESS, child_no, reports.process(_outbound(child_no, warehouse, at), status, at))


def shipped(
    signers: Signers,
    child_no: str,
    at: datetime,
    warehouse: str,
    waybill_no: str,
    lines: Sequence[tuple[str, str, int]],
) -> Message:
    """Qimen: the parcel is out. `lines`: line id, SKU, units."""
    order = _outbound(child_no, warehouse, at)
    order.lines = [Line(line_id, sku, qty, qty) for line_id, sku, qty in lines]
    order.waybill_no, order.carrier, order.stage = waybill_no, "YTO", "DELIVERED"
    return _qimen(signers, reports.CONFIRM, child_no, reports.confirm(order, at))


def _qimen(signers: Signers, method: str, child_no: str, body: bytes) -> Message:
    return Message("qimen", child_no.rpartition("-")[0], body, lambda now: signers.qimen(method, body, now))


def scanned(signers: Signers, order_no: str, waybill_no: str, scans: Sequence[Scan]) -> Message:
    """Kuaidi100: the whole picture so far, newest scan first."""
    parcel = Parcel(waybill_no, (), (), scans[0].at, scans=list(scans), carrier="yuantong")
    request = signers.kuaidi100(kuaidi100.compact(kuaidi100.push(parcel, "yuantong", advanced=True)))
    return Message("kuaidi100", order_no, request.body, lambda _: request)


def _outbound(child_no: str, warehouse: str, at: datetime) -> Order:
    number = base64.b16encode(hashlib.sha256(child_no.encode()).digest()[:4]).decode()
    return Order(child_no, f"W{number}", warehouse, {}, [], "", at)
