"""How an order gets into the books: the start message is read strictly, registered, and settled once it is paid."""

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from activities.store import Register, StoreActivities
from domain.order import StartOrder
from domain.records import OrderWrite, Registered, Settled, SettlePayment
from domain.strict import UnableToRead, parse
from workflows.book import STORE_ERRORS, STORE_RETRY, STORE_TIMEOUT, Book
from workflows.messages import order_workflow_id


class Refusal(Exception):
    """An order that is not taken. `kind` is the error type that the caller sees."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def read_start(raw: RawValue) -> StartOrder:
    """The start message out of its raw bytes. A typed argument that cannot be decoded would block the workflow for
    ever; read here, it is a refusal that says what is wrong."""
    if raw.payload.metadata.get("encoding") != b"json/plain":
        raise Refusal("InvalidOrder", "the start message is not JSON (payload encoding json/plain)")
    try:
        order = parse(StartOrder, raw.payload.data)
    except UnableToRead as error:
        raise Refusal("InvalidOrder", str(error)) from None
    expected = order_workflow_id(order.order_no)
    if workflow.info().workflow_id != expected:
        raise Refusal("InvalidOrder", f"the workflow id must be {expected}, it is {workflow.info().workflow_id}")
    return order


async def register(order: StartOrder) -> Registered:
    info = workflow.info()
    message = Register(order=order, run_id=info.first_execution_run_id, now=workflow.now().isoformat())
    try:
        return await workflow.execute_local_activity_method(
            StoreActivities.register,
            message,
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary="register",
        )
    except ApplicationError as error:  # what a local activity raises comes as it is
        raise Refusal(error.type or "InvalidOrder", error.message) from None


async def settle(book: Book) -> Settled:
    """Payment booked, unit shares frozen, stock reserved, order split: one transaction, all or nothing."""

    async def step(write: OrderWrite) -> Settled:
        return await workflow.execute_local_activity_method(
            StoreActivities.settle,
            SettlePayment(write=write.model_copy(update={"payment": book.payment}), policy=book.policy),
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary="settle payment, reserve, split",
        )

    try:
        return await book.carried_by(step)
    except STORE_ERRORS as error:
        # Loud, and nothing is lost: the order stops here until people have looked.
        raise RuntimeError(f"the books refuse to settle order {book.order.order_no}: {error}") from error
    finally:
        book.held = False
