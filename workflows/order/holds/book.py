"""The holds of one order: what stands in it, and what of it is not written yet. What is done about one is in
`workflows/order/holds/holding.py`."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.dispatch.holds import ASK_AFTER_S, KEPT, MOST_OPEN, Hold, HoldEnd, HoldKind, HoldSource, inherited
from domain.insight.risk import RiskScore
from workflows.durable.carrying import Table


class HoldBook:
    CARRIED = Table(_holds=dict[str, Hold], _count=int, left={"_order_no": "wiring", "_unwritten": "written"})

    def __init__(self, order_no: str) -> None:
        self._order_no = order_no
        self._holds: dict[str, Hold] = {}
        self._count = 0
        self._unwritten: dict[str, None] = {}

    # --- looking -----------------------------------------------------------------------------------------------------

    @property
    def open_ones(self) -> tuple[Hold, ...]:
        return tuple(hold for hold in self._holds.values() if hold.is_open)

    @property
    def all_known(self) -> tuple[Hold, ...]:
        """Open ones, and the latest of those that have ended."""
        return tuple(self._holds.values())

    def find(self, hold_id: str) -> Hold | None:
        return self._holds.get(hold_id)

    def keep(self, child_no: str) -> bool:
        """Whether the child waits for one of them."""
        return any(hold.keeps(child_no) for hold in self._holds.values())

    def on(self, child_no: str) -> tuple[Hold, ...]:
        """Those that this child waits for."""
        return tuple(hold for hold in self._holds.values() if hold.keeps(child_no))

    @property
    def full(self) -> bool:
        return len(self.open_ones) >= MOST_OPEN

    # --- changing ----------------------------------------------------------------------------------------------------

    def place(
        self,
        kind: HoldKind,
        source: HoldSource,
        reason: str,
        by: str,
        now: datetime,
        *,
        remark: str = "",
        child_no: str | None = None,
        rule: str | None = None,
        ends_after_s: int | None = None,
        ask_after_s: int = ASK_AFTER_S,
        risk: RiskScore | None = None,
    ) -> Hold:
        self._count += 1
        hold = Hold(
            hold_id=f"H-{self._order_no}-{self._count}",
            kind=kind,
            source=source,
            rule=rule,
            risk=risk,
            child_no=child_no,
            children=() if child_no is None else (child_no,),
            reason=reason,
            remark=remark,
            placed_by=by,
            placed_at=now,
            ends_at=None if ends_after_s is None else now + timedelta(seconds=ends_after_s),
            ask_after_s=ask_after_s,
        )
        self._put(hold)
        return hold

    def end(
        self, hold_id: str, end: HoldEnd, by: str, now: datetime, remark: str = "", helped: bool | None = None
    ) -> None:
        """Once: of two that end it the first one counts."""
        hold = self._holds[hold_id]
        if not hold.is_open:
            return
        over = {"ended_at": now, "end": end, "ended_by": by, "end_remark": remark, "helped": helped}
        self._put(hold.model_copy(update=over))
        over_now = [number for number, known in self._holds.items() if not known.is_open]
        for forgotten in [n for n in over_now if n not in self._unwritten][: max(len(over_now) - KEPT, 0)]:
            del self._holds[forgotten]

    def stopped(self, hold_id: str, child_no: str) -> None:
        """The warehouse had the child, and has stopped it."""
        hold = self._holds[hold_id]
        self._put(hold.model_copy(update={"stopped": (*hold.stopped, child_no)}))

    def too_late(self, hold_id: str, child_no: str) -> None:
        hold = self._holds[hold_id]
        if child_no not in hold.too_late:
            self._put(hold.model_copy(update={"too_late": (*hold.too_late, child_no)}))

    def inherit(self, child_no: str, replaces: Iterable[str]) -> None:
        """A new child ships in the place of others: what holds those holds it."""
        for hold in self.open_ones:
            if (now := inherited(hold, child_no, replaces)) is not hold:
                self._put(now)

    def _put(self, hold: Hold) -> None:
        self._holds[hold.hold_id] = hold
        self._unwritten[hold.hold_id] = None

    # --- writing it down ---------------------------------------------------------------------------------------------

    def take_changed(self) -> tuple[Hold, ...]:
        changed, self._unwritten = self._unwritten, {}
        return tuple(self._holds[number] for number in changed)

    def put_back(self, holds: Iterable[Hold]) -> None:
        """The store has refused the write that told them; what is known of them now is told by the next."""
        for hold in holds:
            self._holds.setdefault(hold.hold_id, hold)
            self._unwritten[hold.hold_id] = None
