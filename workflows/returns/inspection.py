"""The return desk: goods come back under the case's code, are received once, and graded unit by unit (R49-R55)."""

from collections.abc import Callable, Iterable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.return_messages import ReturnedLine, WhatLeft
from activities.returns import ReturnActivities
from domain.returns import ledger
from domain.returns.enums import Acceptance, Reception
from domain.returns.inspection import Expected, ScanResult, UnitScan, judge_scan, outcome, same_code
from domain.returns.models import ScanRecord
from domain.units import UnitRange, joined, without
from workflows.durable.carrying import ByType, Table
from workflows.durable.local_steps import until_in_store
from workflows.returns.messages import FinishInspection, ReceiveReturn, Scanned, ScanUnit
from workflows.returns.state import ReturnState

DESK = "return desk"
ANSWERS_KEPT = 2_000
"""Scans whose answers a run hands to the next, the latest."""


class Inspection:
    """Receipt and inspection of one case. `code` is set once the goods are expected."""

    CARRIED = Table(
        code=str,
        received=bool,
        inspected=bool,
        finished_by=str,
        nothing_came=bool,
        frozen=bool,
        lines=tuple[ReturnedLine, ...],
        left_out=tuple[UnitRange, ...],
        _graded=dict[str, list[int]],
        _results=list[ScanResult],
        _answers=ByType(dict[str, Scanned], lambda answers: dict([*answers.items()][-ANSWERS_KEPT:])),
        left={"state": "wiring", "_parties": "wiring"},
    )

    def __init__(self, state: ReturnState, parties: Callable[[], frozenset[str]]) -> None:
        self.state = state
        self.code = ""
        self.received = False
        self.inspected = False
        self.finished_by = ""
        self.nothing_came = False
        """The case has gone on without its goods: not sent in time, or given up as lost. They may come all the same."""
        self.frozen = False
        """The case's units are out of what the buyer has, and not yet graded."""
        self._parties = parties
        self.lines: tuple[ReturnedLine, ...] = ()
        self.left_out: tuple[UnitRange, ...] = ()
        """Units of the case that had not left the warehouse when the desk had its parcel: no part of it any more."""
        self._graded: dict[str, list[int]] = {}
        self._results: list[ScanResult] = []
        self._answers: dict[str, Scanned] = {}

    def expects(self, lines: tuple[ReturnedLine, ...], code: str) -> None:
        self.lines, self.code = lines, code
        self._graded = {line.line_id: [] for line in lines}

    def expects_only(self, left: Iterable[UnitRange]) -> None:
        """Of its units these can be in the parcel; nothing has been received yet."""
        self.left_out = without((run for line in self.lines for run in line.units), left)
        lines = (line.model_copy(update={"units": without(line.units, self.left_out)}) for line in self.lines)
        self.expects(tuple(line for line in lines if line.units), self.code)

    def goes_on_without(self) -> bool:
        """Nothing to receive, and an inspection that finds every unit missing."""
        self.received = self.inspected = self.nothing_came = True
        return True

    def has_nothing_to_do(self) -> bool:
        """None of its units can come."""
        self.received = self.inspected = True
        return True

    # --- doors -------------------------------------------------------------------------------------------------------

    async def check(self, message: ReceiveReturn) -> None:
        """The right code, by the right person. Raises `ApplicationError` (UNKNOWN_CODE, SAME_PERSON), audited."""
        await self.insist_on_another(message.by, "receive")
        if not same_code(message.code, self.code):
            why = f"this is not the code of return {self.state.return_no}"
            await self._refuse(message.by, "receive", "UNKNOWN_CODE", why)

    async def insist_it_left(self, by: str) -> tuple[UnitRange, ...] | None:
        """What the goods at the desk, or on the road, can be: units that left the warehouse, by our books. None: all.
        Raises `ApplicationError` (NOT_LEFT), audited, when none has left: then these are other goods, or our books
        have not heard of it."""
        state, awaited = self.state, tuple(run for line in self.lines for run in line.units)
        if self.frozen or not awaited or not workflow.patched("goods that never left do not come back"):
            return None
        found = await until_in_store(
            ReturnActivities.what_left, WhatLeft(return_no=state.return_no), summary="what has left the warehouse"
        )
        if without(awaited, found.units) != joined(awaited):
            return found.units
        state.audit(by, "return.refused", what="goods", code="NOT_LEFT")
        await state.flushed()
        raise ApplicationError(
            f"by our books nothing of return {state.return_no} has left the warehouse ({named(awaited)} of order "
            f"{state.order_no}): if it has, `oms order refresh {state.order_no}`, then try again; goods of another "
            "order go to that order's return",
            type="NOT_LEFT",
        )

    def receive(self, message: ReceiveReturn, left: tuple[UnitRange, ...] | None) -> None:
        """`left`: what can be in the parcel; None: all of it."""
        if self.received:
            return
        if left is not None:
            self.expects_only(left)
        self.received = True
        self.state.log(message.by, "received", "WAREHOUSE")

    async def scan(self, message: ScanUnit) -> Scanned:
        """One unit. What does not count is kept as well, and answered."""
        if known := self._answers.get(message.scan_id):
            return known
        await self.insist_on_another(message.by, "scan")
        verdict = judge_scan(
            self.code, self._expected(),
            UnitScan(scanned=message.code, grade=message.grade, sku=message.sku, photos=len(message.photos)),
            over=self.inspected,
        )  # fmt: skip
        unit = self._grade(verdict.line_id, message) if verdict.line_id is not None and verdict.counts else None
        self._results.append(verdict.result)
        self.state.scanned(
            ScanRecord(
                scan_id=message.scan_id, scanned=message.code, result=verdict.result.value, line_id=verdict.line_id,
                unit=unit, grade=message.grade if unit is not None else None, photos=message.photos, by=message.by,
                at=workflow.now(),
            )
        )  # fmt: skip
        self.state.log(message.by, "scan", "WAREHOUSE", result=verdict.result.value, grade=message.grade.value)
        if verdict.result is ScanResult.UNKNOWN_CODE:
            self.state.audit(message.by, "return.refused", what="scan", code=verdict.result.value)
        elif verdict.result in (ScanResult.QTY_EXCEEDED, ScanResult.WRONG_ITEM):
            text = (
                f"{verdict.result.value}: a unit that this case does not have lies at the desk (scan {message.scan_id})"
            )
            self.state.tickets.note(DESK, "surplus or wrong item", text)
        elif verdict.result is ScanResult.INSPECTION_OVER:
            self._came_late(message)
        answer = Scanned(
            scan_id=message.scan_id, result=verdict.result.value, accepted=self.accepted, expected=self.expected
        )
        if verdict.counts or verdict.result is not ScanResult.PHOTO_REQUIRED:
            self._answers[message.scan_id] = answer
        if self.accepted == self.expected:
            self.inspected = True
        return answer

    def _came_late(self, message: ScanUnit) -> None:
        """Its stock is written off and its money decided about: a person books it, and settles it with the buyer."""
        still = ", ".join(f"{line.line_id}#{unit} ({line.sku})" for line, unit in self.missing_units()[:20])
        self.state.tickets.open(
            DESK, "unit after inspection",
            f"scan {message.scan_id}, {message.grade.value}: a unit came after the inspection was finished; missing "
            f"then: {still}",
            give_up_means="a person has taken it into stock, or sent it back, and has settled its money with the buyer",
            actions=("give_up",),
        )  # fmt: skip

    async def finish(self, message: FinishInspection) -> None:
        await self.insist_on_another(message.by, "finish the inspection")
        self.finished_by, self.inspected = message.by, True
        self.state.log(message.by, "inspection finished", "WAREHOUSE", remark=message.remark, missing=self.missing)

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
        """As few ranges as can be: the books keep a row each."""
        return joined(
            UnitRange(line_id=line, first_unit=unit, units=1)
            for line, units in self._graded.items()
            for unit in sorted(units)
        )

    def missing_units(self) -> tuple[tuple[ReturnedLine, int], ...]:
        return tuple((line, unit) for line in self.lines for unit in self._ungraded(line))

    def _ungraded(self, line: ReturnedLine) -> list[int]:
        done = set(self._graded[line.line_id])
        return [unit for unit in _numbers(line) if unit not in done]

    def write_off_missing(self) -> None:
        """They are not on their way any more: frozen stock that nobody will grade is let go."""
        gone: dict[str, int] = {}
        for line, unit in self.missing_units():
            gone[line.line_id] = gone.get(line.line_id, 0) + 1
            self.state.unit((line.line_id, unit), reception=Reception.MISSING, acceptance=Acceptance.REJECTED)
        for line in self.lines if self.frozen else ():
            if qty := gone.get(line.line_id):
                self.state.moves(ledger.close(self.state.return_no, line.line_id, line.sku, line.warehouse, qty))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _grade(self, line_id: str, message: ScanUnit) -> int:
        line = next(line for line in self.lines if line.line_id == line_id)
        unit = self._ungraded(line)[0]
        self._graded[line_id].append(unit)
        self.state.unit(
            (line_id, unit), reception=Reception.RECEIVED, acceptance=Acceptance.ACCEPTED, grade=message.grade
        )
        self.state.moves(ledger.grade(self.state.return_no, line_id, unit, line.sku, line.warehouse, message.grade))
        return unit

    def _expected(self) -> list[Expected]:
        return [
            Expected(line_id=line.line_id, sku=line.sku, units=line.qty, done=len(self._graded[line.line_id]))
            for line in self.lines
        ]

    async def insist_on_another(self, by: str, what: str) -> None:
        """Nobody handles the goods of what they have asked for or decided. Raises `ApplicationError`, audited."""
        if by in self._parties():
            why = f"{by} has asked for or approved return {self.state.return_no}: another person has to do this"
            await self._refuse(by, what, "SAME_PERSON", why)

    async def _refuse(self, by: str, what: str, kind: str, why: str) -> None:
        """With its audit row, then an error to the caller."""
        self.state.audit(by, "return.refused", what=what, code=kind)
        await self.state.flushed()
        raise ApplicationError(why, type=kind)


def _numbers(line: ReturnedLine) -> list[int]:
    return [unit for run in line.units for unit in range(run.first_unit, run.end)]


def named(units: tuple[UnitRange, ...]) -> str:
    """For a person: the first twenty runs."""
    more = f" and {len(units) - 20} more" if len(units) > 20 else ""
    return ", ".join(f"{r.line_id} {r.first_unit}-{r.end - 1}" for r in units[:20]) + more
