"""The four services: book, look up, cancel, scans. One HTTP call each, through the server's checks and faults."""

from typing import Any

from starlette.responses import Response

from sandbox.core import Sandbox
from sandbox.sf.parcels import Order, Parcels, order_of
from sandbox.sf.wire import done, no, order, route

MOST_NUMBERS = 10
_CONTACT = ("contact", "mobile", "country", "address")


class WaybillDesk:
    def __init__(self, box: Sandbox, parcels: Parcels) -> None:
        self._box, self._parcels = box, parcels

    def book(self, asked: dict[str, Any]) -> Response:
        wrong = _wrong_with(asked)
        if wrong:
            return no("S0002", wrong)
        order_id = str(asked["orderId"])
        if order_id in self._parcels.orders:
            return no("8016", "重复下单")
        ids = {"child_no": order_id, "order_no": order_of(order_id)}
        if self._box.faults.take("book", ids, only={"address_not_served"}):
            return done({"orderId": order_id, "filterResult": 3, "remark": "2", "waybillNoInfoList": None})
        return done(order(self._parcels.book(order_id, asked)))

    def search(self, asked: dict[str, Any]) -> Response:
        booked = self._order(asked)
        if booked is None:
            return no("8018", "未获取到订单信息")
        return no("8037", "已消单") if booked.cancelled else done(order(booked))

    def update(self, asked: dict[str, Any]) -> Response:
        if asked.get("dealType") != 2:
            return no("8252", "订单已确认")
        booked = self._order(asked)
        if booked is None:
            return no("8018", "未获取到订单信息")
        if booked.cancelled:
            return no("8037", "已消单")
        if self._parcels.collected(booked.waybill_no):
            return no("8019", "订单已确认或已消单")
        self._parcels.void(booked)
        waybills = order(booked)["waybillNoInfoList"]
        return done({"orderId": booked.order_id, "waybillNoInfoList": waybills, "resStatus": 2})

    def routes(self, asked: dict[str, Any]) -> Response:
        numbers = asked.get("trackingNumber")
        if not isinstance(numbers, list) or not 0 < len(numbers) <= MOST_NUMBERS:
            return no("S0002", "trackingNumber 必填，最多10个")
        by_order = str(asked.get("trackingType")) == "2"
        waybills = [self._waybill_of(str(n)) if by_order else str(n) for n in numbers]
        self._box.ledger.add("routes", key=waybills[0], numbers=waybills)
        known_phone = bool(asked.get("checkPhoneNo"))
        return done({"routeResps": [{"mailNo": n, "routes": self._scans(n, known_phone)} for n in waybills]})

    def _scans(self, waybill_no: str, known_phone: bool) -> list[dict[str, Any]]:
        """Oldest first. Of a stranger's parcel nothing is told to who does not know a phone number of it."""
        parcel = self._parcels.parcels.get(waybill_no)
        if parcel is None or not (known_phone or waybill_no in self._parcels.by_waybill):
            return []
        return [route(scan) for scan in parcel.scans]

    def _order(self, asked: dict[str, Any]) -> Order | None:
        return self._parcels.orders.get(str(asked.get("orderId", "")))

    def _waybill_of(self, order_id: str) -> str:
        booked = self._parcels.orders.get(order_id)
        return booked.waybill_no if booked else order_id


def _wrong_with(asked: dict[str, Any]) -> str:
    contacts = asked.get("contactInfoList")
    if not asked.get("orderId") or not asked.get("language"):
        return "orderId、language 必填"
    if not isinstance(contacts, list) or sorted(c.get("contactType", 0) for c in contacts) != [1, 2]:
        return "contactInfoList 必须包含寄件方和到件方"
    if not all(c.get(name) for c in contacts for name in _CONTACT):
        return "寄件方或到件方信息不完整"
    cargo = asked.get("cargoDetails")
    if not isinstance(cargo, list) or not cargo or not all(c.get("name") for c in cargo):
        return "cargoDetails 必填"
    if "totalWeight" in asked and not asked["totalWeight"] > 0:
        return "totalWeight 必须大于0"
    return ""
