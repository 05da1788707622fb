"""Messages with which people, and programs for them, hold what has not left: updates `hold` and `release`."""

from typing import Annotated, Literal

from pydantic import Field

from domain.dispatch.holds import ASK_AFTER_S, HoldKind
from domain.order import Id, Text
from domain.strict import Strict
from workflows.messages import SignedCommand

HoldNo = Annotated[str, Field(min_length=1, max_length=60)]


class HoldOrder(SignedCommand):
    """Update `hold`. Without `child_no` the whole order, with every child that it has or will have."""

    kind: Literal[
        HoldKind.RISK, HoldKind.ADDRESS, HoldKind.MESSAGE, HoldKind.STOCK_CHECK, HoldKind.DISPUTE, HoldKind.OTHER
    ]
    """Customs hold by themselves."""
    reason: Text
    remark: Annotated[str, Field(max_length=200)] = ""
    child_no: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    rule: Id | None = None
    """Which rule holds, where one does: a rule holds an order once."""
    ends_after_s: Annotated[int, Field(ge=60, le=90 * 86_400)] | None = None
    """Seconds after which it ends by itself; nobody is asked about it then."""
    ask_after_s: Annotated[int, Field(ge=60, le=90 * 86_400)] = ASK_AFTER_S
    """Seconds after which a person is asked what to do with it, and again after the same time."""


class HoldPlaced(Strict):
    """`waiting`: children that no warehouse has, and none will get before the hold is over. `being_stopped`: those that
    a warehouse has; whether they could be stopped stands in the hold (query `view`). An order without children yet has
    neither: its children will wait."""

    hold_id: str
    waiting: tuple[str, ...]
    being_stopped: tuple[str, ...]


class ReleaseHold(SignedCommand):
    """Update `release`."""

    hold_id: HoldNo
    remark: Text
    helped: bool | None = None
    """Of a hold by the return risk: true where the order would have come back and now will not, as a size was settled
    with the buyer. Models learn from it."""


class HoldReleased(Strict):
    """`still_held_by`: other holds on the same children."""

    hold_id: str
    still_held_by: tuple[str, ...]
