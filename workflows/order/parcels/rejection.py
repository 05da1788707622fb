"""A warehouse that does not ship what it took, whether it has begun with it or not: a person decides.

It is heard until the parcel leaves. What it says after that it goes on all the same is then what counts.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from temporalio import workflow

from domain.facts import Fact, Kind
from domain.fulfilment.parcel_states import AppliedFact
from domain.states import Outcome
from workflows.durable.carrying import Table
from workflows.order.parcels.parcel_state import TO_THE_END, ParcelState
from workflows.order.parcels.shortage import FindElsewhere, ask_what_now
from workflows.order.parcels.stock import ParcelStock
from workflows.order.state import OrderState

GOES_ON = frozenset({Kind.WMS_ACCEPTED, Kind.PICKING, Kind.PACKED})
"""After all."""
WIRING = ("_state", "_order_state", "_stock", "_given_up", "_find", "_refund", "_take_off")
WHY = "the warehouse rejected it"


class GivenUp(Protocol):
    """True: it will not ship, and nobody else has an eye on its money."""

    def __call__(self, *, maybe_there: bool) -> Awaitable[bool]: ...


class Rejection:
    """`given_up`: takes the parcel off, after asking the warehouse where it may ship it. `refund`: units by line, for a
    reason, beside everything else. `take_off`: it will not ship, and others ship what it held."""

    CARRIED = Table(left=dict.fromkeys(WIRING, "wiring: what is known stands in the parcel's state"))

    def __init__(
        self,
        state: ParcelState,
        order_state: OrderState,
        stock: ParcelStock,
        *,
        given_up: GivenUp,
        find: FindElsewhere,
        refund: Callable[[dict[str, int], str], None],
        take_off: Callable[[], bool],
    ) -> None:
        self._state = state
        self._order_state = order_state
        self._stock = stock
        self._given_up = given_up
        self._find = find
        self._refund = refund
        self._take_off = take_off

    @property
    def stands(self) -> bool:
        return bool(self._state.rejected) and not self._state.shipped

    def hear(self, fact: Fact, applied: AppliedFact) -> None:
        """Of a fact that has been applied, what it says of an earlier rejection, or that there is nothing to ship."""
        state = self._state
        if applied.outcome is Outcome.DUPLICATE or state.shipped or state.cancelled:
            return
        rejected_at = state.rejected_at
        if state.rejected and fact.kind in GOES_ON and rejected_at and fact.occurred_at > rejected_at:
            if workflow.patched(TO_THE_END):
                state.rejected = ""
        elif fact.kind is Kind.SHORT_PICKED and self._stock.nothing_is_there and workflow.patched(TO_THE_END):
            state.rejected, state.rejected_at = fact.note or "the warehouse found nothing of it", fact.occurred_at
            state.nothing_found = True

    async def ask(self) -> None:
        """Returns when it is decided: sent again, shipped by others, given up; or the parcel goes on after all."""
        state = self._state
        was_packed = state.packed
        answer = await ask_what_now(
            self._order_state, state.child_no, state.rejected,
            lambda: (state.shipped if was_packed else state.packed) or state.cancelled or not state.rejected,
        )  # fmt: skip
        # What it has begun with again, or has only not found, it may ship.
        maybe_there = state.nothing_found or not state.rejected
        state.rejected, state.nothing_found = "", False
        if answer == "retry":
            state.accepted, state.sends_again = False, was_packed
            self._stock.look_again()
        elif answer == "give_up":
            state.accepted = state.accepted and maybe_there
            await self._abandon(maybe_there=maybe_there)
        elif answer == "supply":
            state.accepted = state.accepted and maybe_there
            await self._ship_elsewhere(maybe_there=maybe_there)

    async def _abandon(self, *, maybe_there: bool) -> None:
        if await self._given_up(maybe_there=maybe_there):
            self._refund(dict(self._state.plan.lines), WHY)

    async def _ship_elsewhere(self, *, maybe_there: bool) -> None:
        """Others ship what they have of it; the rest is cancelled and refunded."""
        if maybe_there:
            if await self._given_up(maybe_there=True) and (left := await self._find(self._state.plan.lines, WHY)):
                self._refund(left, WHY)
        elif await self._find(self._state.plan.lines, WHY):
            await self._abandon(maybe_there=False)
        else:
            self._take_off()
