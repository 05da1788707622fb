"""The state of one parcel: a function of the facts known about it, whatever their order and however often told."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.facts import Fact, Kind
from domain.states import ChildStatus, Outcome

MOVES: dict[Kind, ChildStatus] = {
    Kind.WMS_ACCEPTED: ChildStatus.RELEASED,
    Kind.PICKING: ChildStatus.PICKING,
    Kind.PACKED: ChildStatus.PACKED,
    Kind.WAYBILL_RETURNED: ChildStatus.SHIPPED,
    Kind.COLLECTED: ChildStatus.SHIPPED,
    Kind.IN_TRANSIT: ChildStatus.IN_TRANSIT,
    Kind.OUT_FOR_DELIVERY: ChildStatus.OUT_FOR_DELIVERY,
    Kind.SIGNED: ChildStatus.SIGNED,
}
"""What each movement is evidence of. A later stage implies the earlier ones: a pick-up scan alone is SHIPPED (R04)."""

RANK = (
    ChildStatus.RELEASED,
    ChildStatus.PICKING,
    ChildStatus.PACKED,
    ChildStatus.SHIPPED,
    ChildStatus.IN_TRANSIT,
    ChildStatus.OUT_FOR_DELIVERY,
    ChildStatus.SIGNED,
)
BEFORE_LEAVING = frozenset(
    {*(ChildStatus.CREATED, ChildStatus.RISK_HOLD, ChildStatus.BACKORDER, ChildStatus.CUSTOMS_HOLD), *RANK[:3]}
)
"""Where a child may still be held."""
HOLDS = frozenset({ChildStatus.CREATED, ChildStatus.RISK_HOLD, ChildStatus.BACKORDER, ChildStatus.CUSTOMS_HOLD})
MARKS = frozenset({Kind.WMS_REJECTED, Kind.SHORT_PICKED})
RETURNS = frozenset({Kind.DELIVERY_REFUSED, Kind.RETURNED_TO_SENDER})
CUSTOMS = frozenset({Kind.CUSTOMS_RELEASED, Kind.CUSTOMS_REFUSED})


@dataclass(frozen=True)
class AppliedFact:
    """What became of one fact, and the status before and after."""

    outcome: Outcome
    before: str
    after: str
    note: str = ""


@dataclass
class ParcelStateMachine:
    """`start` is the status that the split gave the child. Our own steps are methods; the world's are facts."""

    start: ChildStatus
    released: bool = False
    reached: ChildStatus = ChildStatus.RELEASED
    moved_at: datetime | None = None
    exception_at: datetime | None = None
    signed_at: datetime | None = None
    returned_at: datetime | None = None
    intercepting: bool = False
    intercept_refused: bool = False
    is_cancelled: bool = False
    cleared: bool = False
    """Customs have let it in."""
    customs_refusal: str | None = None
    """Why they did not; None: they have not refused, or are being asked again."""
    seen: set[str] = field(default_factory=set)
    held: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.released = self.released or self.start not in HOLDS

    @property
    def status(self) -> ChildStatus:
        if self.is_cancelled:
            return ChildStatus.CANCELLED
        if not self.released:
            return self.start
        if self.shipped:
            return self._on_the_road()
        return ChildStatus.INTERCEPTING if self.intercepting else self.reached

    def _on_the_road(self) -> ChildStatus:
        if self.returned_at is not None and (self.signed_at is None or self.returned_at >= self.signed_at):
            return ChildStatus.REFUSED
        if self.reached is ChildStatus.SIGNED:
            return self.reached
        if self.exception_at is not None and (self.moved_at is None or self.exception_at > self.moved_at):
            return ChildStatus.EXCEPTION
        return self.reached

    @property
    def shipped(self) -> bool:
        """It has left the warehouse."""
        return not self.is_cancelled and RANK.index(self.reached) >= RANK.index(ChildStatus.SHIPPED)

    @property
    def has_stock(self) -> bool:
        """Units were reserved for it: at the split, or when its backorder was released."""
        return self.released or self.start is not ChildStatus.BACKORDER

    # --- our own steps -----------------------------------------------------------------------------------------------

    def release(self) -> tuple[tuple[Fact, AppliedFact], ...]:
        """The hold is over. Facts that came too early are applied now, oldest happening first."""
        self.released = True
        return self._take_held()

    def hold_for_customs(self) -> tuple[tuple[Fact, AppliedFact], ...]:
        """Its stock is there; now customs have to let it in."""
        self.start = ChildStatus.CUSTOMS_HOLD
        return ()

    def intercept(self) -> None:
        self.intercepting, self.intercept_refused = True, False

    def resume(self) -> None:
        """The interception is off: the parcel goes on from where the facts say it is."""
        self.intercepting = False

    def cancel(self) -> tuple[tuple[Fact, AppliedFact], ...]:
        """It will not ship. What was held comes out too: a scan of a cancelled parcel is news for a person."""
        self.is_cancelled = True
        return self._take_held()

    def _take_held(self) -> tuple[tuple[Fact, AppliedFact], ...]:
        held, self.held = sorted(self.held, key=lambda f: (f.occurred_at, f.key)), []
        return tuple((fact, self._take(fact)) for fact in held)

    # --- the world's facts -------------------------------------------------------------------------------------------

    def apply(self, fact: Fact) -> AppliedFact:
        if fact.key in self.seen:
            return self._stays(Outcome.DUPLICATE)
        self.seen.add(fact.key)
        if fact.kind is Kind.STOCK_ARRIVED:
            return self._stays(Outcome.STALE if self.released or self.is_cancelled else Outcome.APPLIED)
        if fact.kind in CUSTOMS:
            return self._customs(fact)
        if not self.released and not self.is_cancelled:
            self.held.append(fact)
            return self._stays(Outcome.HELD)
        return self._take(fact)

    def _take(self, fact: Fact) -> AppliedFact:
        if self.is_cancelled:
            return self._after_cancelling(fact)
        if fact.kind in MOVES:
            return self._move(fact, MOVES[fact.kind])
        if fact.kind in RETURNS:
            return self._returned(fact)
        if fact.kind is Kind.COURIER_EXCEPTION:
            return self._exception(fact)
        if fact.kind in MARKS:
            return self._stays(Outcome.STALE if self.shipped else Outcome.APPLIED)
        return self._answered(fact)

    def _customs(self, fact: Fact) -> AppliedFact:
        """Customs may speak before we have asked them: their word counts all the same."""
        if self.released or self.is_cancelled or self.cleared:
            return self._stays(Outcome.STALE)
        self.cleared = fact.kind is Kind.CUSTOMS_RELEASED
        self.customs_refusal = None if self.cleared else fact.note or "customs gave no reason"
        return self._stays(Outcome.APPLIED, fact.note)

    def _answered(self, fact: Fact) -> AppliedFact:
        """The warehouse's answer to an interception."""
        if fact.kind is Kind.INTERCEPTED:
            return self._intercepted()
        if fact.kind is Kind.INTERCEPT_REFUSED:
            return self._interception_refused()
        return self._stays(Outcome.STALE, f"{fact.kind} says nothing about a parcel")

    def _move(self, fact: Fact, to: ChildStatus) -> AppliedFact:
        before = self.status
        if self.moved_at is None or fact.occurred_at > self.moved_at:
            self.moved_at = fact.occurred_at
        if to is ChildStatus.SIGNED:
            self.signed_at = max(fact.occurred_at, self.signed_at or fact.occurred_at)
        first_mark = to is ChildStatus.RELEASED is self.reached
        if RANK.index(to) > RANK.index(self.reached):
            self.reached = to
        moved = self.status is not before or first_mark
        return AppliedFact(Outcome.APPLIED if moved else Outcome.STALE, before, self.status)

    def _exception(self, fact: Fact) -> AppliedFact:
        before = self.status
        self.exception_at = max(fact.occurred_at, self.exception_at or fact.occurred_at)
        return AppliedFact(Outcome.STALE if self.status is before else Outcome.APPLIED, before, self.status, fact.note)

    def _returned(self, fact: Fact) -> AppliedFact:
        before = self.status
        self.returned_at = max(fact.occurred_at, self.returned_at or fact.occurred_at)
        # A parcel that comes back has left.
        if not self.shipped:
            self.reached = ChildStatus.SHIPPED
        return AppliedFact(Outcome.STALE if self.status is before else Outcome.APPLIED, before, self.status, fact.note)

    def _intercepted(self) -> AppliedFact:
        before = self.status
        if self.shipped:
            return self._stays(Outcome.MISMATCH, "the warehouse says stopped, but the parcel has left")
        self.is_cancelled = True
        return AppliedFact(Outcome.APPLIED, before, self.status)

    def _interception_refused(self) -> AppliedFact:
        before = self.status
        if not self.intercepting:
            return self._stays(Outcome.STALE)
        self.intercepting, self.intercept_refused = False, True
        return AppliedFact(Outcome.APPLIED, before, self.status)

    def _after_cancelling(self, fact: Fact) -> AppliedFact:
        left = fact.kind in (*RETURNS, Kind.INTERCEPT_REFUSED) or (
            fact.kind in MOVES and RANK.index(MOVES[fact.kind]) >= RANK.index(ChildStatus.SHIPPED)
        )
        if left:
            return self._stays(Outcome.MISMATCH, f"{fact.kind} for a parcel that was cancelled: it may have shipped")
        return self._stays(Outcome.STALE)

    def _stays(self, outcome: Outcome, note: str = "") -> AppliedFact:
        return AppliedFact(outcome, self.status, self.status, note)


def has_left(status: ChildStatus) -> bool:
    """The carrier has it, or had it."""
    return status in RANK and RANK.index(status) >= RANK.index(ChildStatus.SHIPPED)


def can_change(status: ChildStatus, kind: Kind) -> bool:
    """Whether a fact of `kind` may still move a child whose stored status is `status`.

    What is stored is never ahead of the workflow and ranks only rise, so False is safe (decision 0005).
    """
    if kind not in MOVES or status not in RANK or kind is Kind.WAYBILL_RETURNED:
        return True  # a waybill number is worth knowing even where the state has gone further
    return RANK.index(MOVES[kind]) > RANK.index(status) or (kind is Kind.WMS_ACCEPTED and status is RANK[0])
