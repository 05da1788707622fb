"""A replacement of an order whose money the buyer's bank disputes waits until the bank has decided, as a refund does:
nobody has the money back and the goods as well (N17)."""

from temporalio import workflow

from domain.returns.states import ReturnEvent
from workflows.refunds.disputes import Wait, while_disputed
from workflows.returns.state import ReturnEnded, ReturnState

PAYMENT = "payment"
ON_HOLD = "replacement on hold"


async def until_no_bank_holds_it(state: ReturnState, wait: Wait) -> None:
    """Before its goods are reserved. Raises `ReturnEnded` when a person gives it up."""
    if not workflow.patched("what goes out instead waits for the bank"):
        return
    again: bool | None = True
    while again:
        again = await while_disputed(
            state.tickets, PAYMENT, state.order_no, f"the replacement of return {state.return_no}", wait, step=ON_HOLD,
            give_up_means="the exchange ends without a replacement; the goods that came back are then a person's",
        )  # fmt: skip
        if again is False:
            raise ReturnEnded(ReturnEvent.REJECTED, "REPLACEMENT_NOT_SENT")
