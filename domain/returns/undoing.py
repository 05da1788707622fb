"""What a case has done to goods, and what undoes it when the case ends without paying for them.

One row a physical step. Nobody takes such a step without being in this table: its undoing is run, or asked for, where a
case ends (workflows/returns/undoing.py).
"""

from enum import StrEnum

from domain.returns.enums import Grade
from domain.strict import Strict


class PhysicalStep(StrEnum):
    STOP = "stop"
    """Kept back at the warehouse before it left."""
    RECEIVE = "receive"
    """At the return desk."""
    GRADE = "grade"
    """Moved into stock, to the second-hand pool, or written off."""


class By(StrEnum):
    ORDER = "order"
    """The order does it by itself when it hears that the case has ended (workflows/order/set_aside.py)."""
    PERSON = "person"
    """A blocking ticket: nothing of ours can carry goods."""


class Undoing(Strict):
    does: str
    by: By


UNDOINGS: dict[PhysicalStep, Undoing] = {
    PhysicalStep.STOP: Undoing(does="ship it again, or give its money back", by=By.ORDER),
    PhysicalStep.RECEIVE: Undoing(does="send it back to the buyer, or settle its money with the buyer", by=By.PERSON),
    PhysicalStep.GRADE: Undoing(does="take it out of where its grade has put it", by=By.PERSON),
}

PLACES: dict[Grade, str] = {
    Grade.GOOD: "put back on sale",
    Grade.MINOR: "put into the second-hand pool",
    Grade.SCRAP: "written off",
}


class UnitHere(Strict):
    """A unit that is with us although its case has ended without paying for it."""

    line_id: str
    unit: int
    sku: str
    grade: Grade | None = None


def steps_to_undo(units: tuple[UnitHere, ...]) -> tuple[PhysicalStep, ...]:
    """The last one first."""
    graded = (PhysicalStep.GRADE,) if any(unit.grade is not None for unit in units) else ()
    return (*graded, PhysicalStep.RECEIVE) if units else ()


def described(units: tuple[UnitHere, ...], worth_minor: int, currency: str) -> str:
    """For the ticket: which units, what became of them, how much was paid for the case's units, what to do."""
    most = 20
    named = ", ".join(
        f"{u.line_id}#{u.unit} ({u.sku}{', ' + PLACES[u.grade] if u.grade is not None else ''})" for u in units[:most]
    )
    more = f" and {len(units) - most} more" if len(units) > most else ""
    todo = "; ".join(UNDOINGS[step].does for step in steps_to_undo(units) if UNDOINGS[step].by is By.PERSON)
    return f"the case ended without paying for {named}{more}; asked for {worth_minor} {currency} (minor units): {todo}"
