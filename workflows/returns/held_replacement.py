"""A replacement of an order whose money the buyer's bank disputes waits until the bank has decided, as a refund does:
nobody has the money back and the goods as well (N17). It is asked before its goods are reserved, and again before its
label, with which they leave."""

from collections.abc import Callable

from temporalio import workflow

from domain.returns.states import ReturnEvent
from workflows.refunds.disputes import Wait, while_disputed
from workflows.returns.state import ReturnEnded, ReturnState
from workflows.shipping.shipment import Shipment

PAYMENT = "payment"
ON_HOLD = "replacement on hold"
GIVEN_UP = "the exchange ends without a replacement; the goods that came back are then a person's question"
LEFT = "it has left all the same, while the bank disputes its money"
REJECTED = "the warehouse does not send it: what becomes of it is asked first"
AT_ONCE = "what a warehouse does not send is asked about before the bank has decided"
KEPT = "a person has had the warehouse keep the replacement: the exchange ends without one"


async def until_no_bank_holds_it(state: ReturnState, wait: Wait) -> None:
    """Before its goods are reserved. Raises `ReturnEnded` when a person gives it up."""
    if not workflow.patched("what goes out instead waits for the bank"):
        return
    again: bool | None = True
    while again:
        again = await while_disputed(
            state.tickets, PAYMENT, state.order_no, _named(state), wait, step=ON_HOLD, give_up_means=GIVEN_UP
        )
        if again is False:
            raise ReturnEnded(ReturnEvent.REJECTED, "REPLACEMENT_NOT_SENT")


async def may_have_its_label(
    state: ReturnState, shipment: Shipment, wait: Wait, will_not_be_sent: Callable[[], bool]
) -> bool:
    """The warehouse has had it since. False: a person has had it stopped there, and gives it up. Returns early when the
    warehouse says that it does not send it: that is asked about first."""
    if not workflow.patched("a replacement waits for the bank before its label"):
        return True

    def needless() -> str:
        if shipment.shipped:
            return LEFT
        return REJECTED if will_not_be_sent() and workflow.patched(AT_ONCE) else ""

    again: bool | None = True
    while again and not needless():
        again = await while_disputed(
            state.tickets, PAYMENT, state.order_no, f"{shipment.child_no}, {_named(state)}", wait, step=ON_HOLD,
            give_up_means=KEPT, needless=needless,
        )  # fmt: skip
    return again is not False or shipment.shipped


def _named(state: ReturnState) -> str:
    return f"the replacement of return {state.return_no}"
