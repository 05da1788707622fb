"""From Qimen's words to our facts: the one mapping for callbacks and for queries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from domain.facts import Fact, Kind
from providers.qimen.fields import CODE, ITEM, LINE, clean, count, optional, waybill
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


@dataclass(frozen=True)
class Units:
    """Units by line, where the warehouse names our lines (`orderLineNo`, which Qimen leaves to it), else by article."""

    by_line: dict[str, int] | None = None
    by_item: dict[str, int] | None = None

    def __bool__(self) -> bool:
        return bool(self.by_line or self.by_item)


NONE = Units()


def fact(kind: Kind, child_no: str, at: datetime, *, note: str = "", actual: Units = NONE) -> Fact:
    """A fact about a child order that names no parcel."""
    return Fact(
        key=_key(child_no, kind),
        kind=kind,
        source=SOURCE,
        occurred_at=at,
        child_no=child_no,
        actual=actual.by_line,
        actual_items=actual.by_item,
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
    left = actual_units(document)
    out = Fact(
        key=_key(child_no, Kind.WAYBILL_RETURNED),
        kind=Kind.WAYBILL_RETURNED,
        source=SOURCE,
        occurred_at=at,
        child_no=child_no,
        waybill_no=waybill_no,
        carrier=carrier,
        actual=left.by_line,
        actual_items=left.by_item,
    )
    bare = out.model_copy(update={"actual": None, "actual_items": None})
    further = tuple(
        bare.model_copy(update={"key": f"{out.key}:{no}", "waybill_no": no, "carrier": by})
        for no, by in dict(packages[1:]).items() if no != waybill_no
    )  # fmt: skip
    short = lacking(document)
    return (*((fact(Kind.SHORT_PICKED, child_no, at, actual=short),) if short else ()), out, *further)


def actual_units(document: Element) -> Units:
    """What `orderLines` say has left. Raises `UnableToReadXml` for a line that names neither itself nor its article."""
    return _units(document, lambda line: count(line, "actualQty"))


def lacking(document: Element) -> Units:
    """Actual units of what in `orderLines` came out short. What lacks either number is not judged."""
    planned, actual = _units(document, lambda line: count(line, "planQty")), actual_units(document)
    return Units(_less(actual.by_line, planned.by_line), _less(actual.by_item, planned.by_item))


def _less(actual: dict[str, int] | None, planned: dict[str, int] | None) -> dict[str, int] | None:
    return {name: qty for name, qty in (actual or {}).items() if qty < (planned or {}).get(name, 0)} or None


def _units(document: Element, told: Callable[[Element], int | None]) -> Units:
    # One line may stand in several rows, one per batch of goods.
    lines = [
        (optional(line, "orderLineNo", LINE), optional(line, "itemCode", ITEM), told(line))
        for line in each(document, "orderLines", "orderLine")
    ]
    named = all(line_id for line_id, _, _ in lines)
    found: dict[str, int] = {}
    for line_id, item, qty in lines:
        name = line_id if named else item
        if name is None:
            raise UnableToReadXml("missing", "an <orderLine> has neither <orderLineNo> nor <itemCode>")
        if qty is not None:
            found[name] = found.get(name, 0) + qty
    if not found:
        return NONE
    return Units(by_line=found) if named else Units(by_item=found)


def _package(package: Element) -> tuple[str, str | None]:
    return waybill(package, "expressCode"), optional(package, "logisticsCode", CODE)


def _key(child_no: str, kind: Kind) -> str:
    return f"{SOURCE}:{child_no}:{kind.value}"
