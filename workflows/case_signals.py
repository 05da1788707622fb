"""What an order and its after-sales cases tell each other, by signal. A closed order is no error."""

from collections.abc import Iterator

from pydantic import Field

from domain.strict import Strict

RETURN_WORKFLOW = "Return"
CASE_OPENED = "case_opened"
CASE_CLOSED = "case_closed"
STOP_FOR_CASE = "stop_for_case"
STOPPED = "stopped"


def return_workflow_id(return_no: str) -> str:
    return f"return/{return_no}"


class Units(Strict):
    """Neighbouring units of one line, counted from 0."""

    line_id: str
    first_unit: int
    units: int

    def each(self) -> Iterator[tuple[str, int]]:
        return ((self.line_id, unit) for unit in range(self.first_unit, self.first_unit + self.units))


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
    """Stop parcels that hold nothing but these units."""

    return_no: str
    units: tuple[Units, ...]


class Stopped(Strict):
    """What was stopped at the warehouse; everything else that was asked for ships, and has to come back."""

    units: tuple[Units, ...]
