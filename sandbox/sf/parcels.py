"""Bookings, parcels and their scans. Rebuilt from the journal."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.core import Ledger, Row
from sandbox.core.courier_route import Parcel, Scan

TEXT = {
    "50": "顺丰速运 已收取快件",
    "30": "快件在【杭州转运中心】装车，已发往下一站",
    "33": "快件派送不成功，正在处理中",
    "44": "快件交给快递员，正在派送途中",
    "80": '在官网"运单资料&签收图"可查看签收人信息',
    "99": "应收件人要求，快件正在退回",
}
FIRST = {"50": "1", "30": "2", "33": "3", "44": "3", "80": "4", "99": "2"}
FIRST_NAME = {"1": "已揽收", "2": "运输中", "3": "派送中", "4": "已签收"}
WAYS = {
    "": ("50", "30", "44", "80"),
    "exception": ("50", "30", "33", "44", "80"),
    "refused": ("50", "30", "44", "99"),
    "lost_parcel": ("50", "30"),
    "by_hand": (),
}
"""What the courier will scan, by what goes wrong."""
ENDS = ("80", "99")


@dataclass
class Order:
    order_id: str
    waybill_no: str
    request: dict[str, Any]
    cancelled: bool = False


def order_of(child_no: str) -> str:
    return child_no.rpartition("-")[0]


class Parcels:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.orders: dict[str, Order] = {}
        self.by_waybill: dict[str, Order] = {}
        self.parcels: dict[str, Parcel] = {}
        self._rebuild(ledger.rows)

    def book(self, order_id: str, request: dict[str, Any]) -> Order:
        waybill_no, order_no = self._new_waybill(order_id), order_of(order_id)
        row = self._ledger.add("book", key=order_id, order_no=order_no, waybill_no=waybill_no, request=request)
        return self._enter_order(row)

    def void(self, order: Order) -> None:
        self._ledger.add("void", key=order.order_id, order_no=order_of(order.order_id))
        order.cancelled = True

    def hand_over(self, waybill_no: str, child_no: str, trouble: str) -> Parcel:
        order_no = order_of(child_no)
        row = self._ledger.add("handover", key=waybill_no, order_no=order_no, child_no=child_no, trouble=trouble)
        return self._enter_parcel(row)

    def scan(self, parcel: Parcel, code: str, text: str) -> Scan:
        text = text or TEXT.get(code, f"操作码 {code}")
        row = self._ledger.add("scan", key=parcel.waybill_no, order_no=parcel.order_no, code=code, text=text)
        return self._note(parcel, row)

    def collected(self, waybill_no: str) -> bool:
        parcel = self.parcels.get(waybill_no)
        return parcel is not None and bool(parcel.scans)

    def _rebuild(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.op == "book":
                self._enter_order(row)
            elif row.op == "void":
                self.orders[row.key].cancelled = True
            elif row.op == "handover":
                self._enter_parcel(row)
            elif row.op == "scan":
                self._note(self.parcels[row.key], row)

    def _enter_order(self, row: Row) -> Order:
        order = Order(row.key, row.data["waybill_no"], row.data["request"])
        self.orders[order.order_id] = self.by_waybill[order.waybill_no] = order
        return order

    def _enter_parcel(self, row: Row) -> Parcel:
        parcel = Parcel(row.key, WAYS[row.data["trouble"]], ENDS, datetime.fromisoformat(row.at), row.order_no)
        self.parcels[row.key] = parcel
        return parcel

    def _note(self, parcel: Parcel, row: Row) -> Scan:
        scan = Scan(datetime.fromisoformat(row.at), row.data["code"], row.data["text"])
        parcel.scans.append(scan)
        return scan

    def _new_waybill(self, order_id: str) -> str:
        # From the id, so that a sandbox with a fresh journal does not give old numbers to new parcels.
        for salt in range(1000):
            digest = hashlib.sha256(f"sf/{order_id}/{salt}".encode()).digest()
            number = f"SF{int.from_bytes(digest[:8]) % 10**13:013d}"
            if number not in self.by_waybill:
                return number
        raise RuntimeError("no free waybill number")
