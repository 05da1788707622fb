"""The one vocabulary for where a parcel is (docs/providers.md, Parcel states), and what of it an order hears."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from domain.facts import Fact, Kind
from providers.callbacks import TracePoint

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""One offset all year, since 1991."""
WAYBILL = r"^[A-Za-z0-9][A-Za-z0-9-]{5,31}$"
WaybillNo = Annotated[str, StringConstraints(pattern=WAYBILL)]
"""6 to 32 characters: what Kuaidi100 takes as a number."""


class ParcelStatus(StrEnum):
    PRE_TRANSIT = "pre_transit"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    CUSTOMS = "customs"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_FOR_PICKUP = "ready_for_pickup"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    REFUSED = "refused"
    """Refused by the consignee, or on the way back for another reason."""
    RETURNED = "returned"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


KIND_OF: dict[ParcelStatus, Kind] = {
    ParcelStatus.PICKED_UP: Kind.COLLECTED,
    ParcelStatus.IN_TRANSIT: Kind.IN_TRANSIT,
    ParcelStatus.CUSTOMS: Kind.IN_TRANSIT,
    ParcelStatus.OUT_FOR_DELIVERY: Kind.OUT_FOR_DELIVERY,
    # Waiting in a locker comes after the courier's round and before somebody takes it.
    ParcelStatus.READY_FOR_PICKUP: Kind.OUT_FOR_DELIVERY,
    ParcelStatus.DELIVERED: Kind.SIGNED,
    ParcelStatus.EXCEPTION: Kind.COURIER_EXCEPTION,
    # A waybill cancelled while its parcel is on the road needs a person; for a cancelled child it is stale anyway.
    ParcelStatus.CANCELLED: Kind.COURIER_EXCEPTION,
    ParcelStatus.REFUSED: Kind.DELIVERY_REFUSED,
    ParcelStatus.RETURNED: Kind.RETURNED_TO_SENDER,
}
"""Statuses that can move an order. The others are kept as trace only."""


@dataclass(frozen=True)
class Scan:
    """One courier scan: when, what, in whose words."""

    at: datetime
    status: ParcelStatus
    text: str = ""


@dataclass(frozen=True)
class Trace:
    """What is known of one parcel. `facts` oldest first, `points` newest first; `finished`: nothing will follow."""

    waybill_no: str
    carrier: str
    status: ParcelStatus
    finished: bool
    facts: tuple[Fact, ...]
    points: tuple[TracePoint, ...]
    as_of: datetime


def milestones(source: str, ref: str, scans: Iterable[Scan], ids: dict[str, str]) -> tuple[Fact, ...]:
    """The facts that `scans` prove, oldest first. `ids`: id fields of `Fact` to set (child_no, waybill_no, carrier).

    One fact per kind with the earliest time of that kind, key `{source}:{ref}:{KIND}`, so that a snapshot sent twice,
    or a longer one later, repeats keys instead of inventing happenings. A parcel can have several exceptions, each
    a matter of its own: their key ends in the UTC time of the scan.
    """
    found: dict[str, tuple[Kind, Scan]] = {}
    for scan in sorted(scans, key=lambda s: s.at):
        kind = KIND_OF.get(scan.status)
        if kind is not None:
            found.setdefault(_key(source, ref, kind, scan.at), (kind, scan))
    return tuple(
        Fact(key=key, kind=kind, source=source, occurred_at=scan.at, note=one_line(scan.text, 300), **ids)  # type: ignore[arg-type]
        for key, (kind, scan) in found.items()
    )


def _key(source: str, ref: str, kind: Kind, at: datetime) -> str:
    key = f"{source}:{ref}:{kind.value}"
    if kind is Kind.COURIER_EXCEPTION:
        return f"{key}:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return key


def china_time(text: str | None) -> datetime | None:
    """`2026-03-02 10:00:00` as Chinese couriers write it; None for anything else."""
    try:
        at = datetime.strptime(text or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    except ValueError:
        return None
    return at if 2000 <= at.year < 2100 else None


def one_line(text: str, limit: int) -> str:
    """Text of an outside system, fit for logs and pages: printable characters of one line, at most `limit`."""
    return "".join(c if c.isprintable() else " " for c in text[: limit * 2]).strip()[:limit]
