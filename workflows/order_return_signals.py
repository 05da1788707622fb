"""What an order and its after-sales cases tell each other, by signal. A closed order is no error."""

from pydantic import Field

from domain.strict import Strict
from domain.units import UnitRange

RETURN_WORKFLOW = "Return"
CASE_OPENED = "case_opened"
CASE_CLOSED = "case_closed"
STOP_FOR_CASE = "stop_for_case"
STOPPED = "stopped"
LEFT = "left"


def return_workflow_id(return_no: str) -> str:
    return f"return/{return_no}"


class CaseOpened(Strict):
    """A case is open: the order's automatic receipt waits. `stops_parcels`: before anything ships."""

    return_no: str
    stops_parcels: bool = False
    units: tuple[UnitRange, ...] = ()
    """Of a case whose goods have not left: its own from now on, even where it asks for their stop only once it is
    agreed to."""


class CaseClosed(Strict):
    """A case has ended. `refunded`: units by line_id that it has paid back."""

    return_no: str
    stops_parcels: bool = False
    refunded: dict[str, int] = Field(default_factory=dict)
    paid_back: tuple[UnitRange, ...] = ()
    """Exactly which units, also those that a person pays for by other means: they do not ship any more."""


class StopForCase(Strict):
    """Stop parcels that hold nothing but these units. `split_off`: of other parcels these units are cut off."""

    return_no: str
    units: tuple[UnitRange, ...]
    split_off: bool = False


class Stopped(Strict):
    """What was stopped at the warehouse; everything else that was asked for ships, and has to come back."""

    units: tuple[UnitRange, ...]


class Left(Strict):
    """Nothing of what could not be stopped may still leave: it has left, or will not."""

    return_no: str
