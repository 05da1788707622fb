"""The warehouse found less than planned: a person decides, the default is the buyer's money back."""

from collections.abc import Mapping

from temporalio import workflow

from domain.order import Text
from domain.strict import Strict
from workflows.book import Book
from workflows.warehouse import WMS


class MadeGood(Strict):
    """The buyer got the missing units after all. `how`: in words."""

    how: Text


async def ask_about(book: Book, child_no: str, missing: Mapping[str, int]) -> bool:
    """True: the missing units (by line) are to be refunded. False: they were made good."""
    units = ", ".join(f"{count} of line {line}" for line, count in missing.items())
    ticket = book.tickets.open(
        WMS, "short pick", f"missing units: {units}", child_no,
        "the missing units are refunded", result=MadeGood, actions=("supply", "give_up"),
    )  # fmt: skip
    await workflow.wait_condition(lambda: ticket.resolution is not None)
    return ticket.resolution is not None and ticket.resolution.action == "give_up"
