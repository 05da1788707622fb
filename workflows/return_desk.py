"""The return desk: goods come back under the case's code, are received once, and graded unit by unit (R49-R55)."""

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.return_calls import ReturnedLine
from domain.returns import ledger
from domain.returns.inspection import Expected, Scan, ScanResult, judge_scan, outcome, same_code
from domain.returns.models import ScanRecord, UnitRange
from domain.returns.words import Acceptance, Reception
from workflows.case_book import CaseBook
from workflows.return_messages import FinishInspection, ReceiveReturn, Scanned, ScanUnit

DESK = "return desk"


class Desk:
    """Receipt and inspection of one case. `code` is set once the goods are expected."""

    def __init__(self, book: CaseBook, parties: Callable[[], frozenset[str]]) -> None:
        self.book = book
        self.code = ""
        self.received = False
        self.inspected = False
        self.finished_by = ""
        self.frozen = False
        """The case's units are out of what the buyer has, and not yet graded."""
        self._parties = parties
        self.lines: tuple[ReturnedLine, ...] = ()
        self._graded: dict[str, list[int]] = {}
        self._results: list[ScanResult] = []
        self._answers: dict[str, Scanned] = {}

    def expects(self, lines: tuple[ReturnedLine, ...], code: str) -> None:
        self.lines, self.code = lines, code
        self._graded = {line.line_id: [] for line in lines}

    # --- doors -------------------------------------------------------------------------------------------------------

    async def check(self, message: ReceiveReturn) -> None:
        """The right code, by the right person. Raises `ApplicationError` (UNKNOWN_CODE, SAME_PERSON), audited."""
        await self._check_person(message.by, "receive")
        if not same_code(message.code, self.code):
            why = f"this is not the code of return {self.book.return_no}"
            await self._refuse(message.by, "receive", "UNKNOWN_CODE", why)

    async def receive(self, message: ReceiveReturn) -> None:
        await self.check(message)
        if self.received:
            return
        self.received = True
        self.book.tell(message.by, "received", "WAREHOUSE")

    async def scan(self, message: ScanUnit) -> Scanned:
        """One unit. What does not count is kept as well, and answered."""
        if known := self._answers.get(message.scan_id):
            return known
        await self._check_person(message.by, "scan")
        verdict = judge_scan(
            self.code, self._expected(),
            Scan(scanned=message.code, grade=message.grade, sku=message.sku, photos=len(message.photos)),
        )  # fmt: skip
        unit = self._grade(verdict.line_id, message) if verdict.line_id is not None and verdict.counts else None
        self._results.append(verdict.result)
        self.book.scanned(
            ScanRecord(
                scan_id=message.scan_id, scanned=message.code, result=verdict.result.value, line_id=verdict.line_id,
                unit=unit, grade=message.grade if unit is not None else None, photos=message.photos, by=message.by,
                at=workflow.now(),
            )
        )  # fmt: skip
        self.book.tell(message.by, "scan", "WAREHOUSE", result=verdict.result.value, grade=message.grade.value)
        if verdict.result is ScanResult.UNKNOWN_CODE:
            self.book.audit(message.by, "return.refused", what="scan", code=verdict.result.value)
        elif verdict.result in (ScanResult.QTY_EXCEEDED, ScanResult.WRONG_ITEM):
            text = (
                f"{verdict.result.value}: a unit that this case does not have lies at the desk (scan {message.scan_id})"
            )
            self.book.tickets.note(DESK, "surplus or wrong item", text)
        answer = Scanned(
            scan_id=message.scan_id, result=verdict.result.value, accepted=self.accepted, expected=self.expected
        )
        if verdict.counts or verdict.result is not ScanResult.PHOTO_REQUIRED:
            self._answers[message.scan_id] = answer
        if self.accepted == self.expected:
            self.inspected = True
        return answer

    async def finish(self, message: FinishInspection) -> None:
        await self._check_person(message.by, "finish the inspection")
        self.finished_by, self.inspected = message.by, True
        self.book.tell(message.by, "inspection finished", "WAREHOUSE", remark=message.remark, missing=self.missing)

    # --- what was found ----------------------------------------------------------------------------------------------

    @property
    def expected(self) -> int:
        return sum(line.qty for line in self.lines)

    @property
    def accepted(self) -> int:
        return sum(len(units) for units in self._graded.values())

    @property
    def missing(self) -> int:
        return outcome(self._expected(), self._results).missing

    def accepted_units(self) -> tuple[UnitRange, ...]:
        return tuple(
            UnitRange(line_id=line, first_unit=unit, units=1) for line, units in self._graded.items() for unit in units
        )

    def missing_units(self) -> tuple[tuple[ReturnedLine, int], ...]:
        return tuple(
            (line, unit) for line in self.lines for unit in _numbers(line) if unit not in self._graded[line.line_id]
        )

    def write_off_missing(self) -> None:
        """They are not on their way any more: frozen stock that nobody will grade is let go."""
        gone: dict[str, int] = {}
        for line, unit in self.missing_units():
            gone[line.line_id] = gone.get(line.line_id, 0) + 1
            self.book.unit((line.line_id, unit), reception=Reception.MISSING, acceptance=Acceptance.REJECTED)
        for line in self.lines if self.frozen else ():
            if qty := gone.get(line.line_id):
                self.book.moves(ledger.close(self.book.return_no, line.line_id, line.sku, line.warehouse, qty))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _grade(self, line_id: str, message: ScanUnit) -> int:
        line = next(line for line in self.lines if line.line_id == line_id)
        unit = next(unit for unit in _numbers(line) if unit not in self._graded[line_id])
        self._graded[line_id].append(unit)
        self.book.unit(
            (line_id, unit), reception=Reception.RECEIVED, acceptance=Acceptance.ACCEPTED, grade=message.grade
        )
        self.book.moves(ledger.grade(self.book.return_no, line_id, unit, line.sku, line.warehouse, message.grade))
        return unit

    def _expected(self) -> list[Expected]:
        return [
            Expected(line_id=line.line_id, sku=line.sku, units=line.qty, done=len(self._graded[line.line_id]))
            for line in self.lines
        ]

    async def _check_person(self, by: str, what: str) -> None:
        if by in self._parties():
            why = f"{by} has asked for or approved return {self.book.return_no}: another person has to do this"
            await self._refuse(by, what, "SAME_PERSON", why)

    async def _refuse(self, by: str, what: str, kind: str, why: str) -> None:
        """With its audit row, then an error to the caller."""
        self.book.audit(by, "return.refused", what=what, code=kind)
        await self.book.saved()
        raise ApplicationError(why, type=kind)


def _numbers(line: ReturnedLine) -> list[int]:
    return [unit for run in line.units for unit in range(run.first_unit, run.end)]
