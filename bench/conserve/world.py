"""The outside world of one run: it answers as fate wills, but never contradicts itself.

What a warehouse has stopped it does not ship; a refund that came to nothing stays so, and a number is paid once.
"""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from temporalio import activity

from activities import messages
from activities.provider_errors import outside
from bench.scenarios.environment.providers import ScriptedSystems
from domain.clock import Clock
from domain.facts import Fact, Kind
from providers.errors import Refused, Unavailable, UnknownOutcome

STEPS = (
    "payment.create", "payment.query", "payment.close", "payment.refund", "payment.query_refund",
    "payment.refund_outcome", "wms.push", "wms.cancel", "carrier.book", "carrier.void",
)  # fmt: skip
ENDS = ("SUCCEEDED", "ABNORMAL", "CLOSED")
INSIDE = ("there", "picking", "packed")
"""Where a parcel is that may still be stopped."""


@dataclass
class AtWarehouse:
    """`state`: there, picking, packed, left, cancelled, rejected; `asked`: whoever asked to stop it was told nothing
    yet; `actual`: units found, when fewer."""

    state: str = "there"
    asked: bool = False
    unstoppable: bool = False
    actual: dict[str, int] | None = None


@dataclass
class Refunding:
    amount_minor: int
    ends: str
    asks_left: int
    """How often it is still PROCESSING."""
    channel: str = "wechat"


@dataclass
class Plans:
    """What the next ones come to, in turn; then the kindest."""

    stops: list[str] = field(default_factory=list)
    refunds: list[tuple[str, int]] = field(default_factory=list)


class OutsideWorld(ScriptedSystems):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.plans = Plans()
        self.parcels: dict[str, AtWarehouse] = {}
        self.refunding: dict[str, Refunding] = {}
        self.units: dict[str, dict[str, int]] = {}
        self.captured_minor = 0

    @property
    def given_back_minor(self) -> int:
        return sum(r.amount_minor for r in self.refunding.values() if r.ends == "SUCCEEDED" or r.asks_left)

    def trouble(self, random: Random) -> None:
        """One step does not go as it should, once or more often."""
        step, code = random.choice(STEPS), "FATE"
        kind = random.choice((Refused, Unavailable, UnknownOutcome))
        times = 1 if kind is Refused else random.choice((1, 2, 4, 5))
        self.script(step, *[kind("scripted", code, f"{step} did not work")] * times)

    # --- warehouse ---------------------------------------------------------------------------------------------------

    @activity.defn(name="wms.push")
    async def push(self, call: messages.PushBatch) -> messages.PushOutcomes:
        self.units |= {item.child_no: {line.line_id: line.qty for line in item.lines} for item in call.items}
        try:
            return await super().push(call)
        finally:
            for item in call.items:
                if item.child_no in self.pushed:
                    self._arrives(item.child_no)

    def _begin(self, key: str) -> datetime:
        try:
            return super()._begin(key)
        except UnknownOutcome:
            # Every other one has been done all the same.
            if activity.info().activity_type == "wms.push" and len(self.attempts) % 2:
                self._arrives(key)
            raise

    def is_told_by_hand(self, child_no: str) -> None:
        """Whoever gives up telling the warehouse of a replacement has it sent by hand."""
        self._arrives(child_no)

    def _arrives(self, child_no: str) -> None:
        """A parcel that was rejected is taken when it is pushed again."""
        known = self.parcels.get(child_no)
        if known is None or known.state == "rejected":
            self.parcels[child_no] = AtWarehouse()

    @activity.defn(name="wms.cancel")
    async def cancel(self, call: messages.ChildCall) -> messages.InterceptOutcome:
        async with outside(call):
            self._begin(call.child_no)
        return messages.InterceptOutcome.model_validate({"result": self._stop(call.child_no)})

    def _stop(self, child_no: str) -> str:
        if child_no in self.intercepts:
            return self.intercepts[child_no]
        parcel = self.parcels.get(child_no)
        if parcel is None:
            return "absent"
        if parcel.state in ("cancelled", "rejected"):
            return "cancelled"
        if parcel.state == "left" or parcel.unstoppable:
            return "too_late"
        if parcel.asked:
            return "pending"
        answer = self.plans.stops.pop(0) if self.plans.stops else "cancelled"
        if answer == "cancelled":
            parcel.state = "cancelled"
        elif answer == "too_late":
            parcel.unstoppable = True
        else:
            parcel.asked = True
        return answer

    # --- refunds -----------------------------------------------------------------------------------------------------

    def _refunded(self, call: messages.RefundCall) -> messages.RefundState:
        known = self.refunding.get(call.refund_no)
        if known is None:
            ends, asks = self.plans.refunds.pop(0) if self.plans.refunds else ("SUCCEEDED", 0)
            known = self.refunding[call.refund_no] = Refunding(call.amount_minor, ends, asks, call.channel)
        if known.asks_left:
            known.asks_left -= 1
            return messages.RefundState(state="PROCESSING")
        fact = self.refund_fact(call.order_no, call.refund_no)
        return messages.RefundState.model_validate({"state": known.ends, "fact": fact})

    def refund_fact(self, order_no: str, refund_no: str) -> Fact:
        """What the channel says at its end."""
        known = self.refunding[refund_no]
        if refund_no not in self.ended:
            known.asks_left = 0
            self.ended[refund_no] = Fact(
                key=f"{known.channel}:refund:{refund_no}:{known.ends}", kind=Kind[f"REFUND_{known.ends}"],
                source=known.channel, occurred_at=self.clock(), order_no=order_no, refund_no=refund_no,
                amount_minor=known.amount_minor, currency="CNY",
            )  # fmt: skip
        return self.ended[refund_no]
