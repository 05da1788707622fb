"""From Qimen's words to our facts: the one mapping for callbacks and for queries."""

from datetime import datetime
from xml.etree.ElementTree import Element

from domain.facts import Fact, Kind
from providers.qimen.fields import CODE, LINE, WAYBILL, clean, count, optional, required
from providers.qimen.xml import UnableToReadXml, each

SOURCE = "qimen"
STATUS_KINDS = {
    "ACCEPT": Kind.WMS_ACCEPTED,
    "REJECT": Kind.WMS_REJECTED,
    "PRINT": Kind.PICKING,
    "PICK": Kind.PICKING,
    "PACKAGE": Kind.PACKED,
    "WEIGH": Kind.PACKED,
    "READY": Kind.PACKED,
    "CANCELED": Kind.INTERCEPTED,
    "CANCELEDFAIL": Kind.INTERCEPT_REFUSED,
}
"""CHECK, EXCEPTION, CLOSED and the rest move nothing. DELIVERED is a shipment: it needs the parcel's number with it."""


def fact(kind: Kind, child_no: str, at: datetime, *, note: str = "", actual: dict[str, int] | None = None) -> Fact:
    """A fact about a child order that names no parcel."""
    return Fact(
        key=_key(child_no, kind),
        kind=kind,
        source=SOURCE,
        occurred_at=at,
        child_no=child_no,
        actual=actual,
        note=clean(note)[:300],
    )


def shipped(child_no: str, at: datetime, document: Element) -> tuple[Fact, ...]:
    """Facts of a shipped order: SHORT_PICKED when it left with fewer units than planned, then WAYBILL_RETURNED.

    There is one of these a package of `packages/package`; the first tells the units of `orderLines/orderLine`.
    Raises `UnableToReadXml` (missing, field, repeated).
    """
    packages = [_package(package) for package in each(document, "packages", "package")]
    if not packages:
        raise UnableToReadXml("missing", "a shipped order names no package")
    waybill_no, carrier = packages[0]
    out = Fact(
        key=_key(child_no, Kind.WAYBILL_RETURNED),
        kind=Kind.WAYBILL_RETURNED,
        source=SOURCE,
        occurred_at=at,
        child_no=child_no,
        waybill_no=waybill_no,
        carrier=carrier,
        actual=_units(document, "actualQty") or None,
    )
    further = tuple(
        out.model_copy(update={"key": f"{out.key}:{no}", "waybill_no": no, "carrier": by, "actual": None})
        for no, by in dict(packages[1:]).items() if no != waybill_no
    )  # fmt: skip
    short = lacking(document)
    return (*((fact(Kind.SHORT_PICKED, child_no, at, actual=short),) if short else ()), out, *further)


def lacking(document: Element) -> dict[str, int]:
    """Actual units by line_id of the lines in `orderLines` that came out short. A line that lacks either number is not
    judged."""
    planned = _units(document, "planQty")
    return {line: qty for line, qty in _units(document, "actualQty").items() if qty < planned.get(line, 0)}


def _units(document: Element, name: str) -> dict[str, int]:
    # One line may stand in several rows, one per batch of goods.
    told: dict[str, int] = {}
    for line in each(document, "orderLines", "orderLine"):
        line_id = required(line, "orderLineNo", LINE)
        qty = count(line, name)
        if qty is not None:
            told[line_id] = told.get(line_id, 0) + qty
    return told


def _package(package: Element) -> tuple[str, str | None]:
    return required(package, "expressCode", WAYBILL), optional(package, "logisticsCode", CODE)


def _key(child_no: str, kind: Kind) -> str:
    return f"{SOURCE}:{child_no}:{kind.value}"
