"""Parcels and their scans, and who asked to hear of them. Rebuilt from the journal."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sandbox.core import Ledger, Row, courier_route
from sandbox.core.courier_route import Scan

TEXT = {
    "103": "快件已揽收",
    "1002": "快件在运输途中",
    "5": "快件正在派送",
    "301": "快件已签收，签收人：本人",
    "204": "派件异常，将再次派送",
    "203": "收件人拒收，快件准备退回",
    "4": "退回件已由发件人签收",
}
DELIVERED = ("103", "1002", "5", "301")
WAYS = {
    "": DELIVERED,
    "exception": ("103", "1002", "204", "5", "301"),
    "refused": ("103", "1002", "5", "203", "4"),
    "lost_parcel": ("103", "1002"),
    "by_hand": (),
}
"""What the courier will scan, by what goes wrong."""
ENDS = ("3", "301", "302", "303", "304", "4")


@dataclass
class Parcel(courier_route.Parcel):
    carrier: str = ""


@dataclass(frozen=True)
class Subscriber:
    company: str
    number: str
    url: str
    salt: str
    advanced: bool


class Parcels:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.parcels: dict[str, Parcel] = {}
        self._subscribers: dict[str, dict[str, Subscriber]] = defaultdict(dict)
        self._rebuild(ledger.rows)

    def hand_over(self, waybill_no: str, carrier: str, child_no: str, trouble: str) -> Parcel:
        """The same parcel handed over again is the same parcel."""
        if waybill_no in self.parcels:
            return self.parcels[waybill_no]
        order_no = child_no.rpartition("-")[0]
        return self._enter(
            self._ledger.add(
                "handover", key=waybill_no, order_no=order_no, carrier=carrier, child_no=child_no, trouble=trouble
            )
        )

    def scan(self, parcel: Parcel, code: str, text: str = "") -> None:
        text = text or TEXT.get(code, f"状态 {code}")
        self._note(
            parcel, self._ledger.add("scan", key=parcel.waybill_no, order_no=parcel.order_no, code=code, text=text)
        )

    def subscribe(self, subscriber: Subscriber) -> bool:
        """False: this number is already subscribed."""
        if subscriber.company in self._subscribers[subscriber.number]:
            return False
        self._ledger.add(
            "subscribe",
            key=subscriber.number,
            company=subscriber.company,
            url=subscriber.url,
            salt=subscriber.salt,
            advanced=subscriber.advanced,
        )
        self._subscribers[subscriber.number][subscriber.company] = subscriber
        return True

    def subscribers(self, waybill_no: str) -> list[Subscriber]:
        return list(self._subscribers[waybill_no].values())

    def subscriber(self, company: str, number: str) -> Subscriber:
        return self._subscribers[number][company]

    def _rebuild(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.op == "handover":
                self._enter(row)
            elif row.op == "scan":
                self._note(self.parcels[row.key], row)
            elif row.op == "subscribe":
                subscriber = Subscriber(number=row.key, **row.data)
                self._subscribers[subscriber.number][subscriber.company] = subscriber

    def _enter(self, row: Row) -> Parcel:
        since = datetime.fromisoformat(row.at)
        parcel = Parcel(row.key, WAYS[row.data["trouble"]], ENDS, since, row.order_no, carrier=row.data["carrier"])
        self.parcels[row.key] = parcel
        return parcel

    def _note(self, parcel: Parcel, row: Row) -> None:
        parcel.scans.append(Scan(datetime.fromisoformat(row.at), row.data["code"], row.data["text"]))
