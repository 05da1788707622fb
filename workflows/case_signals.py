"""What an order and its after-sales cases tell each other, by signal. A closed order is no error."""

from pydantic import Field

from domain.strict import Strict

RETURN_WORKFLOW = "Return"
CASE_OPENED = "case_opened"
CASE_CLOSED = "case_closed"
STOP_FOR_CASE = "stop_for_case"
STOPPED = "stopped"


def return_workflow_id(return_no: str) -> str:
    return f"return/{return_no}"


class CaseOpened(Strict):
    """A case is open: the order's automatic receipt waits. `stops_parcels`: before anything ships."""

    return_no: str
    stops_parcels: bool = False


class CaseClosed(Strict):
    """A case has ended. `refunded`: units by line_id that it has paid back."""

    return_no: str
    stops_parcels: bool = False
    refunded: dict[str, int] = Field(default_factory=dict)


class StopForCase(Strict):
    """Stop parcels that hold nothing but these units (by line_id)."""

    return_no: str
    units: dict[str, int]


class Stopped(Strict):
    """What was stopped at the warehouse, by line_id; everything else that was asked for ships, and has to come back."""

    units: dict[str, int]
