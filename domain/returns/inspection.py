"""The inspection desk: a scan names the case's code and one unit's grade; what it leads to, or why not (R54, R55)."""

from collections.abc import Sequence
from enum import StrEnum

from domain.returns.enums import Grade
from domain.strict import Strict


class ScanResult(StrEnum):
    RESTOCK = "RESTOCK"
    SECOND_HAND = "SECOND_HAND"
    SCRAP = "SCRAP"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    QTY_EXCEEDED = "QTY_EXCEEDED"
    """A surplus: one more than the case has. Kept aside, a ticket."""
    PHOTO_REQUIRED = "PHOTO_REQUIRED"
    WRONG_ITEM = "WRONG_ITEM"
    """Another article than was sold. It does not count as received."""
    INSPECTION_OVER = "INSPECTION_OVER"
    """One that was told to be missing, after all. What it is worth is settled already: kept aside, a ticket."""


DESTINATIONS: dict[Grade, ScanResult] = {
    Grade.GOOD: ScanResult.RESTOCK,
    Grade.MINOR: ScanResult.SECOND_HAND,
    Grade.SCRAP: ScanResult.SCRAP,
}
NEEDS_PHOTO = frozenset({Grade.MINOR, Grade.SCRAP})


class Expected(Strict):
    """One line of a case at the desk. `done`: units graded so far."""

    line_id: str
    sku: str
    units: int
    done: int = 0


class UnitScan(Strict):
    scanned: str
    grade: Grade
    sku: str | None = None
    """The article's own barcode, where it was scanned as well."""
    photos: int = 0


class InspectionVerdict(Strict):
    result: ScanResult
    line_id: str | None = None
    """The line whose next unit is graded; None when the scan counts for nothing."""

    @property
    def counts(self) -> bool:
        return self.line_id is not None


def judge_scan(
    return_code: str, expected: Sequence[Expected], scan: UnitScan, *, over: bool = False
) -> InspectionVerdict:
    """One scan against what has been graded so far. Without a SKU the first line with units left is meant. `over`: the
    inspection is finished, and units that nobody had scanned are written off.

    The order of the checks is the order in which a person at the desk would notice: whose parcel is this, is it the
    right thing, is there one too many, is there a photo.
    """
    if not same_code(scan.scanned, return_code):
        return InspectionVerdict(result=ScanResult.UNKNOWN_CODE)
    mine = [line for line in expected if scan.sku is None or line.sku == scan.sku]
    if not mine:
        return InspectionVerdict(result=ScanResult.WRONG_ITEM)
    line = next((line for line in mine if line.done < line.units), None)
    if line is None:
        return InspectionVerdict(result=ScanResult.QTY_EXCEEDED)
    if over:
        return InspectionVerdict(result=ScanResult.INSPECTION_OVER)
    if scan.grade in NEEDS_PHOTO and scan.photos < 1:
        return InspectionVerdict(result=ScanResult.PHOTO_REQUIRED)
    return InspectionVerdict(result=DESTINATIONS[scan.grade], line_id=line.line_id)


def same_code(scanned: str, code: str) -> bool:
    """Scanners and people add blanks and lower case; nothing else is forgiven."""
    return scanned.strip().upper() == code.upper()


class InspectionOutcome(Strict):
    """What the desk found when it says that the parcel is done."""

    accepted: int
    missing: int
    surplus: int
    wrong: int

    @property
    def needs_a_person(self) -> bool:
        return bool(self.missing or self.surplus or self.wrong)


def outcome(expected: Sequence[Expected], results: Sequence[ScanResult]) -> InspectionOutcome:
    """Shortage and surplus change no refund by themselves: they decide which units are refunded and raise tickets."""
    return InspectionOutcome(
        accepted=sum(line.done for line in expected),
        missing=sum(line.units - line.done for line in expected),
        surplus=sum(1 for r in results if r is ScanResult.QTY_EXCEEDED),
        wrong=sum(1 for r in results if r is ScanResult.WRONG_ITEM),
    )
