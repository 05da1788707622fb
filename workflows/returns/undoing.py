"""Where a case ends without paying: its physical steps are undone, or somebody owns what is left of them.

What each step needs is a table (domain/returns/undoing.py). What was stopped is the order's: it hears which units were
paid back, and ships the others again. What is at the desk is a person's.
"""

from temporalio import workflow

from domain.returns.enums import Reception
from domain.returns.undoing import UnitHere, described
from workflows.returns.inspection import DESK, Inspection
from workflows.returns.state import ReturnState

SEND_BACK = "send back"
"""Its answer settles the units by a person's word (store/ownership/units.py)."""


def undo_what_is_here(state: ReturnState, inspection: Inspection) -> None:
    """A blocking ticket about goods of the buyer's that are with us and unpaid; none when there are none."""
    skus = {line.line_id: line.sku for line in inspection.lines}
    units = tuple(
        UnitHere(line_id=unit.line_id, unit=unit.unit, sku=skus[unit.line_id], grade=unit.grade)
        for unit in sorted(state.units.values(), key=lambda u: (u.line_id, u.unit))
        if unit.reception is Reception.RECEIVED
    )
    if units and workflow.patched("a case that ends owns its goods"):
        state.tickets.open(
            DESK, SEND_BACK, described(units, state.amount_minor, state.currency)[:500],
            give_up_means="a person has sent the goods back, or has settled them with the buyer",
            actions=("give_up",), severity="urgent",
        )  # fmt: skip
