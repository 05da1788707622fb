"""Kuaidi100's picture of one parcel: always complete, newest scan first, local time of China (docs/providers.md).

Query answers and pushes carry the same shape; each later picture replaces the earlier one.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from providers.callbacks import TracePoint
from providers.kuaidi100.codes import carrier_of, status_of
from providers.tracking import Scan, Trace, WaybillNo, china_time, milestones, one_line

MAX_ROWS = 1000


class _Lenient(BaseModel):
    """Kuaidi100 adds fields at will and sends numbers now as text, now as numbers."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)


class ScanRow(_Lenient):
    time: str | None = None
    ftime: str | None = None
    context: str | None = None
    status: str | None = None
    statusCode: str | None = None
    areaName: str | None = None
    location: str | None = None


class Snapshot(_Lenient):
    nu: WaybillNo
    com: str | None = None
    state: str | None = None
    ischeck: str | None = None
    data: Annotated[tuple[ScanRow, ...], Field(max_length=MAX_ROWS)] = ()


def trace_of(snapshot: Snapshot, as_of: datetime) -> Trace:
    """The snapshot in our words.

    Rows whose time cannot be read are left out: one bad scan must not hide that the parcel was signed for.
    """
    scans = list(_scans(snapshot))
    carrier = carrier_of(snapshot.com or "")
    ids = {"waybill_no": snapshot.nu} | ({"carrier": one_line(carrier, 64)} if carrier else {})
    status = status_of(snapshot.state or "")
    # Oldest first, so that of two scans in one second the one that came first stays first.
    proven = [scan for scan, _ in reversed(scans)]
    if scans and status not in {scan.status for scan in proven}:
        # Without row codes (or when a carrier leaves them out) the overall state is that of the newest scan.
        newest = max(proven, key=lambda s: s.at)
        proven.append(Scan(newest.at, status, newest.text))
    facts = milestones("kuaidi100", snapshot.nu, proven, ids)
    points = {point.key: point for point in (_point(snapshot.nu, scan, place) for scan, place in scans)}
    return Trace(snapshot.nu, carrier, status, snapshot.ischeck == "1", facts, tuple(points.values()), as_of)


def _scans(snapshot: Snapshot) -> Iterator[tuple[Scan, str]]:
    for row in snapshot.data:
        at = china_time(row.ftime) or china_time(row.time)
        if at is not None:
            status = status_of(row.statusCode or "", row.status or "")
            yield Scan(at, status, row.context or ""), row.areaName or row.location or ""


def _point(waybill_no: str, scan: Scan, place: str) -> TracePoint:
    text = one_line(scan.text, 500)
    # The scan has no id of its own; the same scan in the next snapshot must get the same key.
    digest = hashlib.sha256(f"{scan.at.isoformat()}|{text}".encode()).hexdigest()
    return TracePoint(waybill_no, f"kuaidi100:{digest[:24]}", scan.at, scan.status.value, text, one_line(place, 100))
