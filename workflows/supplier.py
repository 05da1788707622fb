"""A supplier that ships for us has an answer time (R36): silence becomes a question for a person."""

from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import workflow

from workflows.shortage import ShipElsewhere

if TYPE_CHECKING:
    from workflows.parcel import Parcel

SYSTEM = "supplier"
OWN = "SELF"


async def watch_supplier(parcel: "Parcel") -> None:
    """Until the supplier has answered, or the question is settled otherwise. *Retry* waits once more."""
    child, supplier = parcel.plan.child_no, supplier_of(parcel)

    def settled() -> bool:
        return parcel.answered or parcel.cancelled or parcel.packed

    while not settled():
        wait = timedelta(seconds=parcel.book.policy.supplier_answer_s)
        try:
            await workflow.wait_condition(settled, timeout=wait, timeout_summary=f"answer of the supplier of {child}")
        except TimeoutError:
            pass
        else:
            return
        ticket = parcel.book.tickets.open(
            SYSTEM, "supplier silent", f"{supplier} has neither confirmed nor rejected {child}", child,
            "the child is stopped there, cancelled and refunded; supplied elsewhere, others ship what they have of it; "
            "retry waits once more",
            result=ShipElsewhere,
        )  # fmt: skip
        await workflow.wait_condition(lambda t=ticket: t.resolution is not None or settled())  # type: ignore[misc]
        if ticket.resolution is None:
            parcel.book.tickets.close_on_evidence(ticket)
            return
        if ticket.resolution.action == "retry":
            continue
        if await parcel.cancel():
            await _settle(parcel, f"{supplier} did not answer", elsewhere=ticket.resolution.action == "supply")
        return


async def _settle(parcel: "Parcel", why: str, *, elsewhere: bool) -> None:
    """It was stopped: others ship what they have of it, if that is wanted; the rest is refunded."""
    left = dict(parcel.plan.lines)
    if elsewhere:
        left = await parcel.find_elsewhere(parcel, left, why)
    if left:
        await parcel.give_back(parcel, left, why)


def supplier_of(parcel: "Parcel") -> str | None:
    """Who ships it, where it is not we."""
    assert parcel.book.priced is not None
    lines = (line for line in parcel.book.priced.lines if line.line_id in parcel.plan.lines)
    return min({line.tags.supplier for line in lines} - {OWN}, default=None)
