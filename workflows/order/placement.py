"""How an order gets into the books: the start message is read strictly, registered, and settled once it is paid."""

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from activities.store import Register, StoreActivities
from domain.insight.risk import traits_of
from domain.order import StartOrder, order_too_large
from domain.records import OrderWrite, Registered, Settled, SettlePayment
from domain.strict import UnableToRead
from workflows.durable.local_steps import LARGE, STORE_ERRORS, in_store
from workflows.durable.proofs import admitted_start
from workflows.durable.raw_messages import (
    NO_ARGUMENT,
    StartRefused,
    check_workflow_id,
    json_bytes,
    no_card,
    read,
)
from workflows.messages import order_workflow_id
from workflows.order.state import OrderState

INVALID = "InvalidOrder"
SIZED = "orders-have-a-size"
"""Those that were larger and are open go on as they can."""


class PaidByNobody(Exception):
    """The payment that was to be settled is not the order's."""


def read_start(raw: RawValue, *, goes_on: bool = False) -> StartOrder:
    """The start message out of its raw bytes. Raises `StartRefused`. `goes_on`: an earlier run has been taken."""
    try:
        order = read(StartOrder, raw, "start message")
    except UnableToRead as error:
        raise StartRefused(INVALID, str(error)) from None
    check_workflow_id(order_workflow_id(order.order_no), INVALID)
    if not goes_on:
        no_card(order, INVALID)
    if not goes_on and (why := order_too_large(order)) and workflow.patched(SIZED):
        raise StartRefused(INVALID, why)
    return order


async def register(order: StartOrder, raw: RawValue = NO_ARGUMENT) -> Registered:
    """Whoever starts it is looked at first, where they say who they are; where they have to, the books refuse others.
    `raw`: the message as it came. Raises `StartRefused`."""
    info, proven = workflow.info(), order.proof is not None
    try:
        if order.proof is not None:
            await admitted_start(order.proof, order, json_bytes(raw, "start message"))
        message = Register(
            order=order.model_copy(update={"proof": None}), run_id=info.first_execution_run_id,
            now=workflow.now().isoformat(), proven=proven,
        )  # fmt: skip
        return await in_store(StoreActivities.register, message, summary="register", timeout=LARGE)
    except ApplicationError as error:  # what a local activity raises comes as it is
        raise StartRefused(error.type or INVALID, error.message) from None


async def settle(state: OrderState) -> Settled:
    """Payment booked, unit shares frozen, stock reserved, order split: one transaction, all or nothing. Raises
    `PaidByNobody`."""

    async def step(write: OrderWrite) -> Settled:
        return await in_store(
            StoreActivities.settle,
            SettlePayment(
                write=write.model_copy(update={"payment": state.payment}),
                policy=state.policy,
                traits=traits_of(state.order),
            ),
            summary="settle payment, reserve, split",
            timeout=LARGE,
        )

    try:
        while True:
            try:
                return await state.commit_with(step)
            except STORE_ERRORS as error:
                if state.refused_as_not_ours(error):
                    raise PaidByNobody from None
                # Nothing is lost: the order stops here until people have looked.
                if not workflow.patched("a settlement that is refused is asked about"):
                    raise RuntimeError(f"the books refuse to settle order {state.order.order_no}: {error}") from error
                why = str(error.cause if isinstance(error, ActivityError) and error.cause else error)
            await state.stalls.refused(f"settlement of order {state.order.order_no}", why)
    finally:
        state.defer_writes(False)
