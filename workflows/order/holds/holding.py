"""What is done about an order's holds: children wait, what a warehouse has is stopped there, and somebody, a cause or a
time lets them go.

A held child that no warehouse has is not sent to one (`Parcel`). One that a warehouse has is asked back; it stands
still with its stock until the hold is over, and then ships under a new number. What could not be stopped ships, and
the hold says so. An order without holds does exactly what it always did: nothing here makes a command before one.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.automation.acts import BY, HoldAct, ReleaseAct
from domain.dispatch.holds import BUYER_SAYS, ENDS_WITH, RELEASERS, RISK_RULE, Hold, HoldCause, HoldEnd, HoldKind
from domain.facts import Fact, Kind
from domain.insight.risk import features_of, reason_of, traits_of
from domain.insight.risk_model import score
from domain.order_states import NOT_ALL_GONE
from domain.records import Settled
from domain.states import OrderStatus, Outcome
from workflows.durable.branches import Branches
from workflows.durable.carrying import Table
from workflows.order.changes.requests import FulfilmentChanges
from workflows.order.holds.messages import HoldOrder, HoldPlaced, HoldReleased, ReleaseHold
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.set_aside import SetAside
from workflows.order.state import OrderState

SYSTEM = "orders"
LASTS = "hold lasts"
BY_ITSELF = "system"
OVER = frozenset({OrderStatus.COMPLETED, OrderStatus.CLOSED})
HOLDABLE = NOT_ALL_GONE | {OrderStatus.PENDING_PAYMENT}


class Holding:
    CARRIED = Table(
        left={
            "_stopping": "no run ends while something is being stopped",
            **dict.fromkeys(("_state", "_parcels", "_changes", "_set_aside", "_branches"), "wiring"),
        }
    )

    def __init__(
        self,
        state: OrderState,
        parcels: Parcels,
        changes: FulfilmentChanges,
        set_aside: SetAside,
        branches: Branches,
    ) -> None:
        self._state = state
        self._parcels = parcels
        self._changes = changes
        self._set_aside = set_aside
        self._branches = branches
        self._stopping: set[str] = set()
        """Holds for which warehouses are being asked."""

    @property
    def nothing_is_being_stopped(self) -> bool:
        return not self._stopping

    def go_on(self) -> None:
        """In a new run, with the waiting for the end of each."""
        for hold in self._state.holds.open_ones:
            if hold.kind is not HoldKind.CUSTOMS:
                self._branches.take_on(self._watch(hold.hold_id))

    # --- people ------------------------------------------------------------------------------------------------------

    def check_hold(self, message: HoldOrder) -> None:
        """Raises `ApplicationError`."""
        order_no, status, book = self._state.order_no, self._state.status, self._state.holds
        if status not in HOLDABLE:
            raise ApplicationError(f"order {order_no} is {status.value}: nothing of it can be held", type="NotNow")
        for hold in book.all_known:
            if message.rule is not None and hold.rule == message.rule:
                why = f"rule {message.rule} has held order {order_no} before ({hold.hold_id}): a rule holds it once"
                raise ApplicationError(why, type="NotNow")
            same = (hold.kind, hold.child_no, hold.rule) == (message.kind, message.child_no, message.rule)
            if hold.is_open and same:
                raise ApplicationError(f"{hold.hold_id} holds it for this already", type="NotNow")
        if book.full:
            raise ApplicationError(f"order {order_no} has {len(book.open_ones)} holds: no more", type="NotNow")
        if message.child_no is None:
            if self._parcels.by_number and not any(not _is_gone(p) for p in self._parcels.by_number.values()):
                raise ApplicationError(f"everything of order {order_no} has left, or is cancelled", type="NotNow")
            return
        parcel = self._parcels.by_number.get(message.child_no)
        if parcel is None:
            raise ApplicationError(f"order {order_no} has no child {message.child_no}", type="UnknownChild")
        if _is_gone(parcel):
            raise ApplicationError(f"{message.child_no} is {parcel.state.status}: too late to hold it", type="NotNow")

    async def hold(self, message: HoldOrder) -> HoldPlaced:
        """Returns once it is in the books. Warehouses are asked meanwhile."""
        placed = self._state.holds.place(
            message.kind, "hand" if message.rule is None else "rule", message.reason, message.by, workflow.now(),
            remark=message.remark, child_no=message.child_no, rule=message.rule, ends_after_s=message.ends_after_s,
            ask_after_s=message.ask_after_s,
        )  # fmt: skip
        answer = self._take_up(placed)
        await self._state.flushed()
        return answer

    def check_release(self, message: ReleaseHold) -> None:
        """Raises `ApplicationError`."""
        hold = self._state.holds.find(message.hold_id)
        if hold is None:
            why = f"order {self._state.order_no} has no hold {message.hold_id}"
            raise ApplicationError(why, type="NoSuchHold")
        if not hold.is_open:
            raise ApplicationError(f"{hold.hold_id} is over ({hold.end}, by {hold.ended_by})", type="NotNow")
        if not RELEASERS[hold.kind]:
            raise ApplicationError(f"{hold.hold_id} is of {hold.kind}, which lets go by itself", type="NotNow")

    async def release(self, message: ReleaseHold) -> HoldReleased:
        """Returns once it is in the books that it is over."""
        hold = self._state.holds.find(message.hold_id)
        assert hold is not None, "the check has found it"
        self._end(hold, HoldEnd.RELEASED, message.by, message.remark, message.helped)
        await self._state.flushed()
        numbers = [no for no in self._parcels.by_number if hold.covers(no)]
        others = {other.hold_id: None for no in numbers for other in self._state.holds.on(no)}
        return HoldReleased(hold_id=hold.hold_id, still_held_by=tuple(others))

    # --- facts and causes --------------------------------------------------------------------------------------------

    def by_fact(self, kind: HoldKind, reason: str, remark: str = "", *, ends_after_s: int | None = None) -> Hold | None:
        """The whole order is held for what was told; None: it is already, or nothing of it can be held."""
        known = any(h.kind is kind and h.source == "fact" and h.child_no is None for h in self._state.holds.open_ones)
        gone = self._parcels.by_number and all(_is_gone(p) for p in self._parcels.by_number.values())
        if known or gone or self._state.status not in HOLDABLE or self._state.holds.full:
            return None
        now = workflow.now()
        hold = self._state.holds.place(kind, "fact", reason, BY_ITSELF, now, remark=remark, ends_after_s=ends_after_s)
        self._take_up(hold)
        return hold

    def at_desk(self, fact: Fact) -> None:
        """A chargeback that people have entered, or have said is won: the books have the money of it already."""
        status = self._state.status.value
        if fact.key in self._state.applied:
            self._state.record(fact, Outcome.DUPLICATE, status, status, None)
            return
        if fact.kind is Kind.CHARGEBACK_OPENED:
            self.by_fact(HoldKind.DISPUTE, f"chargeback {fact.chargeback_no} is open")
        elif fact.kind is Kind.CHARGEBACK_WON:
            self.caused(HoldCause.DISPUTE_WON)
        self._state.record(fact, Outcome.APPLIED, status, status, None)

    def by_automation(self, rule: str, act: HoldAct) -> tuple[bool, str]:
        """Whether it is held, and what is to be said of it."""
        known = next((hold for hold in self._state.holds.all_known if hold.rule == rule), None)
        gone = self._parcels.by_number and all(_is_gone(p) for p in self._parcels.by_number.values())
        if known is not None:
            return False, f"it has held the order before ({known.hold_id})"
        if gone or self._state.status not in HOLDABLE or self._state.holds.full:
            return False, f"the order is {self._state.status.value}: nothing of it can be held"
        hold = self._state.holds.place(
            HoldKind(act.kind), "rule", act.reason, rule, workflow.now(), rule=rule, ends_after_s=act.ends_after_s
        )
        self._take_up(hold)
        return True, hold.hold_id

    def released_by_automation(self, by: str, act: ReleaseAct) -> tuple[bool, str]:
        """What automations hold, and nothing that people or facts do."""
        mine = [h for h in self._state.holds.open_ones if (h.rule or "").startswith(BY)]
        ended = [hold for hold in mine if act.of is None or hold.rule == BY + act.of]
        for hold in ended:
            self._end(hold, HoldEnd.RELEASED, by, act.reason)
        return bool(ended), ", ".join(h.hold_id for h in ended) or "no automation holds it"

    def look_at_risk(self, settled: Settled) -> None:
        """Once, when the order is paid and nothing has left for a warehouse: what is likely to come back waits a while
        for somebody to look at it, and then goes."""
        if settled.history is None:  # nobody has asked for it
            return
        book, table = self._state.holds, self._state.policy.risk
        risk = score(features_of(settled.history, traits_of(self._state.order)), table, settled.risk_model)
        known = any(hold.rule == RISK_RULE for hold in book.all_known)
        if known or book.full or not risk.is_high or not workflow.patched(RISK_RULE):
            return
        hold = book.place(
            HoldKind.RISK, "rule", reason_of(risk)[:200], BY_ITSELF, workflow.now(), rule=RISK_RULE,
            ends_after_s=table.hold_s, risk=risk,
        )  # fmt: skip
        self._take_up(hold)

    def buyer_says(self, fact: Fact) -> None:
        """What has no label yet is held and looked at again. What comes too late for that, or is one more thing that
        the buyer says, is a note for a person: nothing that a buyer asks for is passed over."""
        status = self._state.status.value
        if fact.key in self._state.applied:
            self._state.record(fact, Outcome.DUPLICATE, status, status, None)
            return
        kind, reason = BUYER_SAYS[fact.kind]
        hold = self.by_fact(kind, reason, fact.note)
        self._state.record(fact, Outcome.APPLIED, status, status, None, fact.note)
        if hold is None:
            why = "nothing of it could be held for this any more, or it is held for this already"
            self._state.tickets.note(SYSTEM, "buyer's change", f"{reason}: {fact.note or 'no more was said'}; {why}")

    def caused(self, cause: HoldCause) -> None:
        """What has happened ends the holds that waited for it."""
        for hold in self._state.holds.open_ones:
            if hold.kind is ENDS_WITH[cause]:
                self._end(hold, HoldEnd.CAUSE, BY_ITSELF, cause)

    # --- what is done about one --------------------------------------------------------------------------------------

    def _take_up(self, hold: Hold) -> HoldPlaced:
        self._state.audit(
            hold.placed_by, "order.hold", hold_id=hold.hold_id, kind=hold.kind, reason=hold.reason, remark=hold.remark,
            source=hold.source,
        )  # fmt: skip
        covered = [p for p in self._parcels.by_number.values() if hold.covers(p.state.child_no) and not _is_gone(p)]
        being_stopped = [p for p in covered if p.at_warehouse and not p.state.set_aside]
        self._branches.take_on(self._watch(hold.hold_id))
        if covered:
            self._stopping.add(hold.hold_id)
            self._branches.take_on(self._stop(hold.hold_id))
        return HoldPlaced(
            hold_id=hold.hold_id,
            waiting=tuple(p.state.child_no for p in covered if p not in being_stopped),
            being_stopped=tuple(p.state.child_no for p in being_stopped),
        )

    async def _stop(self, hold_id: str) -> None:
        try:
            if self._changes.executing:  # the children that are made then are what can be stopped
                await workflow.wait_condition(lambda: not self._changes.executing)
            for parcels in self._parcels.as_they_come():
                await asyncio.gather(*(self._stop_one(hold_id, parcel) for parcel in parcels))
        finally:
            self._stopping.discard(hold_id)
            self._parcels.roll_up()
            if not self._known(hold_id).is_open:  # released meanwhile
                self._let_go(hold_id)

    async def _stop_one(self, hold_id: str, parcel: Parcel) -> None:
        child_no = parcel.state.child_no
        if not self._known(hold_id).keeps(child_no) or parcel.state.cancelled or parcel.state.set_aside:
            return
        await parcel.between_calls()
        if not (parcel.at_warehouse or parcel.state.shipped) or not self._known(hold_id).is_open:
            return  # it waits where it is
        if parcel.state.cancelled:
            return
        if not parcel.state.shipped and await self._set_aside.stop_for_hold(hold_id, parcel):
            self._state.holds.stopped(hold_id, child_no)
        elif not parcel.state.cancelled:
            self._state.holds.too_late(hold_id, child_no)
        self._state.mark_changed()

    async def _watch(self, hold_id: str) -> None:
        """Until it is over: by somebody, by a cause, by its time, or because there is nothing left to hold."""
        while (hold := self._known(hold_id)).is_open:
            if (end := self._nothing_left(hold)) is not None:
                self._end(hold, end, BY_ITSELF, "")
                return
            due, asks = self._due(hold)
            if due > timedelta(0):
                try:
                    await workflow.wait_condition(
                        lambda: self._is_over(hold_id), timeout=due, timeout_summary=f"hold {hold_id}"
                    )
                    continue
                except TimeoutError:
                    pass
            if asks:
                await self._ask(hold)
            else:
                self._end(hold, HoldEnd.CAUSE, BY_ITSELF, HoldCause.TIME)

    def _due(self, hold: Hold) -> tuple[timedelta, bool]:
        """How long it may wait; and whether a person is asked then, or it ends."""
        now = workflow.now()
        if hold.ends_at is not None:
            return hold.ends_at - now, False
        if self._state.tickets.left_open(SYSTEM, LASTS, hold.child_no, hold.hold_id) is not None:
            return timedelta(0), True  # the run before has asked
        return _next(hold.placed_at, timedelta(seconds=hold.ask_after_s), now) - now, True

    async def _ask(self, hold: Hold) -> None:
        """Whoever may release it does; the answer to the ticket only says that somebody has looked."""
        who = ", ".join(RELEASERS[hold.kind])
        await self._state.tickets.ask(
            SYSTEM, LASTS, f"{hold.hold_id} ({hold.kind}) since {hold.placed_at:%Y-%m-%d %H:%M} UTC: {hold.reason}; "
            f"released by {who}"[:400],
            hold.child_no, settled=lambda: self._is_over(hold.hold_id), actions=("retry",), about=hold.hold_id,
            evidence="the hold is over",
        )  # fmt: skip

    def _is_over(self, hold_id: str) -> bool:
        hold = self._known(hold_id)
        return not hold.is_open or self._nothing_left(hold) is not None

    def _nothing_left(self, hold: Hold) -> HoldEnd | None:
        """How it ends when nothing waits for it, or will."""
        if self._state.status in OVER:
            return HoldEnd.NOTHING_LEFT
        if hold.hold_id in self._stopping or not self._parcels.by_number or self._changes.executing:
            return None
        covered = [p for no, p in self._parcels.by_number.items() if hold.covers(no)]
        if any(not _is_gone(p) and p.state.child_no not in hold.too_late for p in covered):
            return None
        return HoldEnd.TOO_LATE if any(not p.state.cancelled for p in covered) else HoldEnd.NOTHING_LEFT

    def _end(self, hold: Hold, end: HoldEnd, by: str, remark: str, helped: bool | None = None) -> None:
        if not self._known(hold.hold_id).is_open:
            return
        self._state.holds.end(hold.hold_id, end, by, workflow.now(), remark, helped)
        self._state.audit(by, "order.release", hold_id=hold.hold_id, kind=hold.kind, end=end, remark=remark)
        self._let_go(hold.hold_id)

    def _let_go(self, hold_id: str) -> None:
        """What stands still for it ships again under new numbers; what is being stopped now, once that is known."""
        if hold_id not in self._stopping and self._set_aside.holds_for(hold_id):
            self._branches.take_on(self._set_aside.case_ended(hold_id, ()))

    def _known(self, hold_id: str) -> Hold:
        hold = self._state.holds.find(hold_id)
        assert hold is not None, f"{hold_id} is kept while somebody is about it"
        return hold


def _is_gone(parcel: Parcel) -> bool:
    """It has left, or will not ship."""
    return parcel.state.shipped or (parcel.state.cancelled and not parcel.state.set_aside)


def _next(begun: datetime, every: timedelta, now: datetime) -> datetime:
    return begun + every * ((now - begun) // every + 1)
