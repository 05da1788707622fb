"""An order with a SKU that the catalogue knows without tags: taken and paid, but split only when somebody has tagged it
(R25). Nobody guesses where goods ship from."""

from activities.store import StoreActivities
from domain.records import Untagged
from workflows.durable.carrying import Table
from workflows.durable.local_steps import until_in_store
from workflows.order.refunds_owed import RefundsOwed
from workflows.order.state import OrderState

GIVING_UP = "the order is closed, and all of its money goes back to the buyer"


class Tagging:
    """`untagged`: as registered. Nothing here happens to an order whose SKUs all have tags."""

    CARRIED = Table(untagged=tuple[Untagged, ...], _cancelled=bool, left={"_state": "wiring"})

    def __init__(self, state: OrderState) -> None:
        self._state = state
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
            self._state.defer_writes(False)  # the payment is booked now: the split that would carry it is not near
            self._state.now_waits_for("tags of its SKUs")
            resolution = await self._state.tickets.ask(
                "catalog", "untagged SKU", _described(self.untagged), give_up_means=GIVING_UP,
                settled=lambda: self._cancelled, evidence="the order was cancelled", actions=("retry", "give_up"),
            )  # fmt: skip
            if resolution is not None and resolution.action == "give_up":
                self._cancelled = True
            elif resolution is not None:
                await self._look_again()
        return not self._cancelled

    async def give_back(self, owed: RefundsOwed) -> None:
        """Everything that was paid."""
        units = {line.line_id: line.qty for line in self._state.order.lines}
        await owed.all(self._state.paid_minor, "the order could not be split", units)

    async def _look_again(self) -> None:
        found = await until_in_store(StoreActivities.retag, self._state.order.order_no, summary="look for tags")
        self._state.priced, self.untagged = found.priced, found.untagged


def _described(untagged: tuple[Untagged, ...]) -> str:
    lines = ", ".join(f"line {u.line_id}: SKU {u.sku}" for u in untagged[:10])
    more = f" and {len(untagged) - 10} more" if len(untagged) > 10 else ""
    return (
        f"no tags for {lines}{more}. Give them with `oms catalog put` (`oms catalog list --untagged` shows them), "
        "then answer this with retry"
    )
