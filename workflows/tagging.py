"""An order with a SKU that the catalogue knows without tags: taken and paid, but split only when somebody has tagged it
(R25). Nobody guesses where goods ship from."""

from temporalio import workflow

from activities.store import StoreActivities
from domain.records import Retagged, Untagged
from workflows.book import STORE_RETRY, STORE_TIMEOUT, Book
from workflows.giveback import GiveBack

GIVING_UP = "the order is closed, and all of its money goes back to the buyer"


class Tagging:
    """`untagged`: as registered. Nothing here happens to an order whose SKUs all have tags."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.untagged: tuple[Untagged, ...] = ()
        self._cancelled = False

    @property
    def waits(self) -> bool:
        """It cannot be split yet."""
        return bool(self.untagged)

    def cancel(self) -> None:
        """By the buyer: there are no parcels to stop."""
        self._cancelled = True

    async def complete(self) -> bool:
        """After payment. True: it can be split. False: it was given up or cancelled; its money is owed back."""
        while self.untagged and not self._cancelled:
            self._book.held = False  # the payment is booked now: the split that would carry it is not near
            self._book.now_waits_for("tags of its SKUs")
            ticket = self._book.tickets.open(
                "catalog", "untagged SKU", _told(self.untagged), give_up_means=GIVING_UP, actions=("retry", "give_up")
            )
            await workflow.wait_condition(lambda t=ticket: t.resolution is not None or self._cancelled)  # type: ignore[misc]
            if ticket.resolution is None:
                self._book.tickets.close_on_evidence(ticket, "the order was cancelled")
            elif ticket.resolution.action == "give_up":
                self._cancelled = True
            else:
                await self._look_again()
        return not self._cancelled

    async def give_back(self, owed: GiveBack) -> None:
        """Everything that was paid."""
        units = {line.line_id: line.qty for line in self._book.order.lines}
        await owed.all(self._book.paid_minor, "the order could not be split", units)

    async def _look_again(self) -> None:
        found: Retagged = await workflow.execute_local_activity_method(
            StoreActivities.retag,
            self._book.order.order_no,
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary="look for tags",
        )
        self._book.priced, self.untagged = found.priced, found.untagged


def _told(untagged: tuple[Untagged, ...]) -> str:
    lines = ", ".join(f"line {u.line_id}: SKU {u.sku}" for u in untagged[:10])
    more = f" and {len(untagged) - 10} more" if len(untagged) > 10 else ""
    return (
        f"no tags for {lines}{more}. Give them with `oms catalog put` (`oms catalog list --untagged` shows them), "
        "then answer this with retry"
    )
