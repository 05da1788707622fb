"""The carrier system's memory: which shipment has which waybill, and where it stands. Rebuilt from the journal."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.core import Ledger, Row

PREFIX = {
    "SF": "SF",
    "YTO": "YT",
    "ZTO": "78",
    "STO": "77",
    "YUNDA": "43",
    "JTSD": "JT",
    "JD": "JDVA",
    "EMS": "11",
    "DBKD": "DPK",
}
"""Carriers on contract, with the beginning of their waybill numbers."""
HEAVY_G = 20_000


@dataclass
class Shipment:
    shipment_id: str
    tms_ref: str
    carrier: str
    waybill_no: str
    booked_at: str
    request: dict[str, Any]
    status: str = "booked"

    def as_json(self) -> dict[str, str]:
        return {
            "shipment_id": self.shipment_id,
            "tms_ref": self.tms_ref,
            "carrier": self.carrier,
            "waybill_no": self.waybill_no,
            "status": self.status,
        }


def order_of(shipment_id: str) -> str:
    return shipment_id.rpartition("-")[0] or shipment_id


class State:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._shipments: dict[str, Shipment] = {}
        self._waybills: set[str] = set()
        self._labels: set[tuple[str, str]] = set()
        self._rebuild(ledger.rows)

    def get(self, shipment_id: str) -> Shipment | None:
        return self._shipments.get(shipment_id)

    def book(self, request: dict[str, Any]) -> Shipment:
        shipment_id = request["shipment_id"]
        carrier = request.get("carrier") or ("DBKD" if request["weight_g"] >= HEAVY_G else "YTO")
        row = self._ledger.add(
            "book",
            key=shipment_id,
            order_no=order_of(shipment_id),
            tms_ref=f"T-{len(self._shipments) + 1}",
            carrier=carrier,
            waybill_no=self._new_waybill(carrier, shipment_id),
            request=request,
        )
        return self._enter(row)

    def move(self, shipment: Shipment, status: str) -> None:
        self._ledger.add("move", key=shipment.shipment_id, order_no=order_of(shipment.shipment_id), status=status)
        shipment.status = status

    def note_label(self, shipment: Shipment, format: str) -> None:
        """One row per shipment and format, however often the label is fetched: it is always the same label."""
        if (shipment.shipment_id, format) not in self._labels:
            order_no = order_of(shipment.shipment_id)
            self._ledger.add("label", key=shipment.shipment_id, order_no=order_no, format=format)
            self._labels.add((shipment.shipment_id, format))

    def _rebuild(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.op == "book":
                self._enter(row)
            elif row.op == "move":
                self._shipments[row.key].status = row.data["status"]
            elif row.op == "label":
                self._labels.add((row.key, row.data["format"]))

    def _enter(self, row: Row) -> Shipment:
        shipment = Shipment(shipment_id=row.key, booked_at=row.at, **row.data)
        self._shipments[row.key] = shipment
        self._waybills.add(shipment.waybill_no)
        return shipment

    def _new_waybill(self, carrier: str, shipment_id: str) -> str:
        # From the id, so that a sandbox with a fresh journal does not give old numbers to new parcels.
        for salt in range(1000):
            digest = hashlib.sha256(f"{shipment_id}/{salt}".encode()).digest()
            number = f"{PREFIX[carrier]}{int.from_bytes(digest[:8]) % 10**13:013d}"
            if number not in self._waybills:
                return number
        raise RuntimeError("no free waybill number")
