"""What a case tells its order. The ledger in PostgreSQL ties them together; an order that has ended is no error."""

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.return_calls import CloseOrder
from activities.returns import ReturnActivities
from domain.returns.words import ReturnType
from workflows.book import STORE_RETRY, STORE_TIMEOUT
from workflows.case_book import CaseBook
from workflows.case_signals import CASE_CLOSED, CASE_OPENED, CaseClosed, CaseOpened
from workflows.messages import order_workflow_id


def _stops(book: CaseBook) -> bool:
    return book.case.unshipped and book.case.type is ReturnType.CANCEL_UNSHIPPED


async def tell_opened(book: CaseBook) -> None:
    await _tell(book, CASE_OPENED, CaseOpened(return_no=book.return_no, stops_parcels=_stops(book)))


async def tell_closed(book: CaseBook, refunded: dict[str, int]) -> None:
    message = CaseClosed(return_no=book.return_no, stops_parcels=_stops(book), refunded=refunded)
    await _tell(book, CASE_CLOSED, message)


async def _tell(book: CaseBook, name: str, message: CaseOpened | CaseClosed) -> None:
    if book.case.order_ended:
        return
    try:
        await workflow.get_external_workflow_handle(order_workflow_id(book.order_no)).signal(name, message)
    except FailureError:  # the order has ended: nobody listens any more
        return


async def close_order_if_all_is_back(book: CaseBook) -> None:
    """An order that has ended as completed is closed in the books once every unit has been paid back."""
    await workflow.execute_local_activity_method(
        ReturnActivities.close_order,
        CloseOrder(order_no=book.order_no, return_no=book.return_no, now=workflow.now()),
        start_to_close_timeout=STORE_TIMEOUT,
        retry_policy=STORE_RETRY,
        summary="close the order if all is back",
    )
