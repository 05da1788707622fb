"""SF's scans ("routes"), from query and push alike, in our words (docs/providers.md, SF Express)."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from providers.callbacks import TracePoint
from providers.sf.codes import status_of
from providers.tracking import ParcelStatus, Scan, Trace, china_time, milestones, one_line

CARRIER = "SF"
MAX_ROUTES = 1000
_ENDS = frozenset({ParcelStatus.DELIVERED, ParcelStatus.RETURNED, ParcelStatus.CANCELLED})


class Route(BaseModel):
    """One scan. `acceptTime` is local time of China; a query also knows `firstStatusCode`, a push may."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)

    acceptTime: str | None = None
    acceptAddress: str | None = None
    remark: str | None = None
    opCode: str | None = None
    firstStatusCode: str | None = None


def trace_of(waybill_no: str, routes: Iterable[Route], as_of: datetime) -> Trace:
    """The scans of one parcel. Those whose time cannot be read are left out: one bad scan must not hide the others."""
    read = sorted(_read(waybill_no, routes), key=lambda pair: pair[0].at)
    scans = [scan for scan, _ in read]
    facts = milestones("sf", waybill_no, scans, {"waybill_no": waybill_no, "carrier": CARRIER})
    points = {point.key: point for _, point in reversed(read)}
    told = [scan.status for scan in scans if scan.status is not ParcelStatus.UNKNOWN]
    status = told[-1] if told else ParcelStatus.UNKNOWN
    return Trace(waybill_no, CARRIER, status, status in _ENDS, facts, tuple(points.values()), as_of)


def _read(waybill_no: str, routes: Iterable[Route]) -> Iterator[tuple[Scan, TracePoint]]:
    for route in routes:
        at = china_time(route.acceptTime)
        if at is None:
            continue
        scan = Scan(at, status_of(route.opCode or "", route.firstStatusCode or ""), route.remark or "")
        text = one_line(scan.text, 500)
        # A push numbers its scans, a query does not; the same scan must get the same key from both.
        told = f"{at.isoformat()}|{route.opCode}|{text}".encode()
        key = f"sf:{hashlib.sha256(told).hexdigest()[:24]}"
        yield scan, TracePoint(waybill_no, key, at, scan.status.value, text, one_line(route.acceptAddress or "", 100))
