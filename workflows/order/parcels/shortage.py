"""The warehouse found less than planned, or rejected a child: a person decides; the default is the money back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from activities.messages import WMS
from domain.order import Text
from domain.strict import Strict
from workflows.order.state import OrderState

FindElsewhere = Callable[[Mapping[str, int], str], Awaitable[dict[str, int]]]
"""Makes new children of units (by line) that others have, for a reason; returns the others."""
RefundUnits = Callable[[dict[str, int], str], Awaitable[None]]
"""Refunds units (by line), for a reason."""
SHORT_PICK = "short pick"


class MadeGood(Strict):
    """The buyer got the missing units after all. `how`: in words."""

    how: Text


class ShipElsewhere(Strict):
    """Somebody else ships the child's units, if anybody has them."""

    elsewhere: Literal[True]


async def settle_short_pick(
    order_state: OrderState, child_no: str, left: dict[str, int], *, find: FindElsewhere, refund: RefundUnits
) -> None:
    """Missing units are refunded, unless they are made good or others ship them. `left`: what is not settled yet.

    *Retry* looks for them elsewhere, and asks again about what nobody has.
    """
    while left:
        units = ", ".join(f"{count} of line {line}" for line, count in left.items())
        resolution = await order_state.tickets.ask(
            WMS, SHORT_PICK, f"missing units: {units}", child_no,
            "the missing units are refunded; retry looks for them in other warehouses", result=MadeGood, about=units,
        )  # fmt: skip
        assert resolution is not None  # nothing but an answer settles it
        if resolution.action == "give_up":
            units_back = dict(left)
            left.clear()
            await refund(units_back, SHORT_PICK)
        elif resolution.action == "supply":
            left.clear()
        else:
            still = await find(dict(left), SHORT_PICK)
            left.clear()
            left.update(still)


async def ask_what_now(
    order_state: OrderState, child_no: str, why: str, settled: Callable[[], bool]
) -> Literal["retry", "supply", "give_up"] | None:
    """A child that the warehouse, or the supplier, will not ship. None: it does after all, or it is cancelled."""
    resolution = await order_state.tickets.ask(
        WMS, "outbound rejected", why, child_no,
        "the child is cancelled and its money refunded; supplied elsewhere, others ship what they have of it",
        settled=settled, result=ShipElsewhere,
    )  # fmt: skip
    return None if resolution is None or resolution.action == "evidence" else resolution.action
