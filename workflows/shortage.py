"""The warehouse found less than planned, or rejected a child: a person decides; the default is the money back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from temporalio import workflow

from domain.order import Text
from domain.strict import Strict
from workflows.book import Book
from workflows.warehouse import WMS

FindElsewhere = Callable[[Mapping[str, int]], Awaitable[dict[str, int]]]
"""Makes new children of units that others have; returns the others, by line."""


class MadeGood(Strict):
    """The buyer got the missing units after all. `how`: in words."""

    how: Text


class ShipElsewhere(Strict):
    """Somebody else ships the child's units, if anybody has them."""

    elsewhere: Literal[True]


async def ask_about(
    book: Book, child_no: str, missing: Mapping[str, int], find: FindElsewhere | None = None
) -> dict[str, int]:
    """The units (by line) that are to be refunded; none of them when they were made good, or others ship them.

    *Retry* looks for them elsewhere, and asks again about what nobody has.
    """
    left = dict(missing)
    while left:
        units = ", ".join(f"{count} of line {line}" for line, count in left.items())
        ticket = book.tickets.open(
            WMS, "short pick", f"missing units: {units}", child_no,
            "the missing units are refunded; retry looks for them in other warehouses", result=MadeGood,
            actions=("supply", "give_up") if find is None else ("retry", "supply", "give_up"),
        )  # fmt: skip
        await workflow.wait_condition(lambda t=ticket: t.resolution is not None)  # type: ignore[misc]
        assert ticket.resolution is not None
        if ticket.resolution.action == "give_up":
            return left
        if ticket.resolution.action == "supply":
            return {}
        assert find is not None
        left = await find(left)
    return {}


async def ask_what_now(
    book: Book, child_no: str, why: str, settled: Callable[[], bool]
) -> Literal["retry", "supply", "give_up"] | None:
    """A child that the warehouse, or the supplier, will not ship. None: it does after all, or it is cancelled."""
    ticket = book.tickets.open(
        WMS, "outbound rejected", why, child_no,
        "the child is cancelled and its money refunded; supplied elsewhere, others ship what they have of it",
        result=ShipElsewhere,
    )  # fmt: skip
    await workflow.wait_condition(lambda: ticket.resolution is not None or settled())
    if ticket.resolution is None:
        book.tickets.close_on_evidence(ticket)
        return None
    action = ticket.resolution.action
    return None if action == "evidence" else action
