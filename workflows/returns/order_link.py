"""What a case tells its order. The ledger in PostgreSQL ties them together; an order that has ended is no error."""

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.return_messages import CloseOrder
from activities.returns import ReturnActivities
from domain.returns.enums import ReturnType
from domain.units import UnitRange
from workflows.durable.continuing import under_way
from workflows.durable.local_steps import until_in_store
from workflows.messages import order_workflow_id
from workflows.order_return_signals import CASE_CLOSED, CASE_OPENED, CaseClosed, CaseOpened
from workflows.returns.state import ReturnState


def _stops(state: ReturnState) -> bool:
    return state.case.unshipped and state.case.type is ReturnType.CANCEL_UNSHIPPED


async def notify_opened(state: ReturnState) -> None:
    units = state.case.units if state.case.unshipped else ()
    await _notify(state, CASE_OPENED, CaseOpened(return_no=state.return_no, stops_parcels=_stops(state), units=units))


async def notify_closed(state: ReturnState, refunded: dict[str, int], paid_back: tuple[UnitRange, ...]) -> None:
    message = CaseClosed(return_no=state.return_no, stops_parcels=_stops(state), refunded=refunded, paid_back=paid_back)
    await _notify(state, CASE_CLOSED, message)


async def _notify(state: ReturnState, name: str, message: CaseOpened | CaseClosed) -> None:
    if state.case.order_ended:
        return
    try:
        with under_way():
            await workflow.get_external_workflow_handle(order_workflow_id(state.order_no)).signal(name, message)
    except FailureError:  # the order has ended: nobody listens any more
        return


async def close_order_if_all_is_back(state: ReturnState) -> None:
    """An order that has ended as completed is closed in the books once every unit has been paid back."""
    await until_in_store(
        ReturnActivities.close_order,
        CloseOrder(order_no=state.order_no, return_no=state.return_no, now=workflow.now()),
        summary="close the order if all is back",
    )
