"""What an automation has an order do (R83): told as a fact, done once for its key, answered in the order's history.

Whether it is to be done was decided before (`store/automation/running.py`); here the order says whether it can.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from domain.automation.acts import BY, SOURCE, Asked, CarrierAct, HoldAct, RefundAct, ReleaseAct
from domain.facts import Fact
from domain.states import Outcome
from workflows.durable.branches import Branches
from workflows.durable.carrying import Table
from workflows.order.holds.holding import Holding
from workflows.order.messages import CancelOrder
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.state import OrderState


class AutomatedActs:
    """`worth`: what would go back if all that has not left were stopped now; `may_cancel`: why not, or ''."""

    CARRIED = Table(
        left={
            "_under_way": "no run ends while something is being changed",
            **dict.fromkeys(
                ("_state", "_parcels", "_holding", "_branches", "_worth", "_may_cancel", "_cancel"), "wiring"
            ),
        }
    )

    def __init__(
        self,
        state: OrderState,
        parcels: Parcels,
        holding: Holding,
        branches: Branches,
        worth: Callable[[], tuple[int, dict[str, Any]]],
        may_cancel: Callable[[], str],
        cancel: Callable[[CancelOrder], Awaitable[object]],
    ) -> None:
        self._state = state
        self._parcels = parcels
        self._holding = holding
        self._branches = branches
        self._worth = worth
        self._may_cancel = may_cancel
        self._cancel = cancel
        self._under_way = 0

    @property
    def nothing_is_under_way(self) -> bool:
        return self._under_way == 0

    def obey(self, fact: Fact) -> None:
        """MISMATCH: it cannot be done, and the note says why; nothing was."""
        status = self._state.status.value
        if fact.key in self._state.applied:
            self._state.record(fact, Outcome.DUPLICATE, status, status, None)
            return
        if fact.asked is None or fact.source != SOURCE:
            done, said = False, "it does not say what is to be done"
        else:
            done, said = self._do(fact.asked)
        outcome = Outcome.APPLIED if done else Outcome.MISMATCH
        self._state.applied.add(fact.key)  # what could not be done is not done later, when it is told again
        self._state.record(fact, outcome, status, self._state.status.value, None, said[:300])

    def _do(self, asked: Asked) -> tuple[bool, str]:
        match asked.do:
            case HoldAct():
                return self._holding.by_automation(BY + asked.automation, asked.do)
            case ReleaseAct():
                return self._holding.released_by_automation(BY + asked.automation, asked.do)
            case CarrierAct():
                return self._carrier(BY + asked.automation, asked.do)
            case RefundAct():
                return self._refund(BY + asked.automation, asked.do)

    def _carrier(self, by: str, act: CarrierAct) -> tuple[bool, str]:
        waiting = [p for p in self._parcels.by_number.values() if _may_change(p)]
        if not waiting:
            return False, "everything is at a warehouse already, or there is nothing yet"
        for parcel in waiting:
            self._begin(self._change(parcel, by, act.carrier))
        return True, f"{', '.join(p.state.child_no for p in waiting)}: by {act.carrier}, unless just handed over"

    async def _change(self, parcel: Parcel, by: str, carrier: str) -> None:
        await parcel.between_calls()
        changed = _may_change(parcel)
        if changed:
            parcel.state.plan = parcel.state.plan.model_copy(update={"carrier": carrier, "shipping_cost_minor": None})
        self._state.audit(by, "order.carrier", child_no=parcel.state.child_no, carrier=carrier, changed=int(changed))

    def _refund(self, by: str, act: RefundAct) -> tuple[bool, str]:
        worth, _ = self._worth()
        if why := self._may_cancel() or ("it is being changed just now" if self._under_way else ""):
            return False, why
        if worth == 0:
            return False, "nothing of it is paid and has not left"
        if worth > act.at_most_minor:
            return False, f"{worth} would go back, more than {act.at_most_minor} (minor units): a person decides"
        self._begin(self._pay_back(CancelOrder(reason=act.reason, by=by)))
        return True, f"{worth} (minor units) go back, as the approval matrix says"

    async def _pay_back(self, message: CancelOrder) -> None:
        await self._cancel(message)

    def _begin(self, work: Any) -> None:
        async def counted() -> None:
            try:
                await work
            finally:
                self._under_way -= 1

        self._under_way += 1
        self._branches.take_on(counted())


def _may_change(parcel: Parcel) -> bool:
    """No warehouse knows of it, and no label was printed."""
    state = parcel.state
    return not (parcel.at_warehouse or state.shipped or state.cancelled or state.label or state.waybill_no)
