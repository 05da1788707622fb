"""A supplier that ships for us has an answer time (R36): silence becomes a question for a person."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio import workflow

from workflows.order.parcels.parcel_state import ParcelState
from workflows.order.parcels.shortage import FindElsewhere, RefundUnits, ShipElsewhere
from workflows.order.state import OrderState

SYSTEM = "supplier"
OWN = "SELF"


@dataclass
class SupplierWatch:
    """`until`: the end of the supplier's time, the same in every run."""

    on: bool = False
    until: datetime | None = None


async def watch_supplier(
    state: ParcelState,
    order_state: OrderState,
    *,
    cancel: Callable[[], Awaitable[bool]],
    find: FindElsewhere,
    refund: RefundUnits,
    watch: SupplierWatch,
) -> None:
    """Until the supplier has answered, or the question is settled otherwise. *Retry* waits once more.

    `cancel`: True when the child will not ship from there.
    """

    def settled() -> bool:
        return state.answered or state.cancelled or state.packed

    watch.on = True
    try:
        await _watch(state, order_state, settled, watch, cancel=cancel, find=find, refund=refund)
    finally:
        watch.on, watch.until = False, None


async def _watch(
    state: ParcelState,
    order_state: OrderState,
    settled: Callable[[], bool],
    watch: SupplierWatch,
    *,
    cancel: Callable[[], Awaitable[bool]],
    find: FindElsewhere,
    refund: RefundUnits,
) -> None:
    child, supplier = state.child_no, supplier_of(state, order_state)
    while not settled():
        if watch.until is None:
            watch.until = workflow.now() + timedelta(seconds=order_state.policy.supplier_answer_s)
        if (wait := watch.until - workflow.now()) > timedelta(0):
            try:
                await workflow.wait_condition(
                    settled, timeout=wait, timeout_summary=f"answer of the supplier of {child}"
                )
            except TimeoutError:
                pass
            else:
                return
        resolution = await order_state.tickets.ask(
            SYSTEM, "supplier silent", f"{supplier} has neither confirmed nor rejected {child}", child,
            "the child is stopped there, cancelled and refunded; supplied elsewhere, others ship what they have of it; "
            "retry waits once more",
            settled=settled, result=ShipElsewhere,
        )  # fmt: skip
        if resolution is None:
            return
        if resolution.action == "retry":
            watch.until = None
            continue
        watch.on = False  # decided: the rest is under way
        if await cancel():
            why, left = f"{supplier} did not answer", dict(state.plan.lines)
            if resolution.action == "supply":
                left = await find(left, why)
            if left:
                await refund(left, why)
        return


def supplier_of(state: ParcelState, order_state: OrderState) -> str | None:
    """Who ships it, where it is not we."""
    lines = order_state.priced_lines(state.plan.lines)
    return min({line.tags.supplier for line in lines} - {OWN}, default=None)
