"""What an import did: counts, every rounding and every refusal with its row."""

from dataclasses import dataclass, field

from pydantic import BaseModel

from domain.access.desk import TellPayment
from domain.order import StartOrder


class Rounding(BaseModel):
    """A line total that had fractions of a fen."""

    row: int
    order: str
    total: str
    """As the file has it, major units."""
    total_minor: int


class CleanedCell(BaseModel):
    """A cell whose text was made plain: a spreadsheet's guard taken off, an invisible sign dropped, `¥` or commas."""

    row: int
    order: str
    column: str
    was: str
    now: str


class RefusedField(BaseModel):
    """Why a row, or the order as a whole (`row` None), was refused."""

    row: int | None
    order: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A good order and the rows it came from. Rows count as in a spreadsheet: the header is row 1."""

    order: StartOrder
    rows: tuple[int, ...]
    paid: TellPayment | None = None
    """Told once the order is in the books; finance decides about it."""


class Report(BaseModel):
    encoding: str
    rows: int = 0
    orders_ready: int = 0
    orders_refused: int = 0
    paid: int = 0
    """Of the orders that are ready: said to be paid at their channel already."""
    lines: int = 0
    """Lines of the orders that are ready."""
    totals_minor: dict[str, int] = {}
    """Sum of their rounded line totals by currency; equals the sum of `payable_minor`."""
    remainder_minor: int = 0
    """Sum of line discounts that exist only because a total did not divide by its quantity."""
    roundings: list[Rounding] = []
    refusals: list[RefusedField] = []
    cleaned: list[CleanedCell] = []


@dataclass(slots=True)
class OrderReport:
    """Faults and roundings of one order while it is being built; joined to the report when its fate is known."""

    roundings: list[Rounding] = field(default_factory=list)
    refusals: list[RefusedField] = field(default_factory=list)
    cleaned: dict[tuple[int, str], CleanedCell] = field(default_factory=dict)
    """By row and column: a column may feed several fields."""
    remainder_minor: int = 0
