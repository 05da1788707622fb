"""One engine for every axis that moves by events: late, twice, out of order or never, the end state is the same.

An axis is a table (from which states an event leads where) and the rank of its states. An event that fits moves the
state; one that is too early is held until the state fits; one that is too late is recorded and moves nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from domain.states import Outcome


class BadTable(ValueError):
    """The table contradicts its own ranks. The text names the state."""


class UnknownEvent(ValueError):
    """The table has no row for this kind of event: it is refused, never guessed (R01)."""


class Fit(Enum):
    FITS = "FITS"
    EARLY = "EARLY"
    LATE = "LATE"


@dataclass(frozen=True)
class Move:
    """One row: the states in which the event may apply, and where it leads (the same state: only a mark)."""

    origins: tuple[str, ...]
    to: str


@dataclass(frozen=True)
class Table:
    """Rows by event kind, and all states from first to last."""

    moves: Mapping[str, Move]
    rank: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.rank)) != len(self.rank):
            raise BadTable("a state stands twice in the ranks")
        for kind, move in self.moves.items():
            if not move.origins:
                raise BadTable(f"{kind} can apply in no state at all")
            for state in (*move.origins, move.to):
                if state not in self.rank:
                    raise BadTable(f"{kind} names the state {state}, which has no rank")

    def rank_of(self, state: str) -> int:
        return self.rank.index(state)

    def move(self, kind: str) -> Move:
        if kind not in self.moves:
            raise UnknownEvent(f"no transition is listed for {kind}")
        return self.moves[kind]

    def fit(self, state: str, kind: str) -> Fit:
        """Whether `kind` applies in `state`, may apply in a later one (early), or never again (late)."""
        origins = self.move(kind).origins
        if state in origins:
            return Fit.FITS
        return Fit.EARLY if any(self.rank_of(o) > self.rank_of(state) for o in origins) else Fit.LATE

    @property
    def order_free(self) -> bool:
        """Whether the end state depends on the set of events alone, whatever their order.

        It does when no event leads back, and each applies in all states from its first one up to just below its
        target: then no state that is passed over could have led further. Our own tables are held to this by a test.
        """
        return all(self._gapless(move) for move in self.moves.values())

    def _gapless(self, move: Move) -> bool:
        ranks = {self.rank_of(origin) for origin in move.origins}
        to = self.rank_of(move.to)
        return max(ranks) <= to and set(range(min(ranks), to)) <= ranks


@dataclass(frozen=True)
class Event:
    """`event_id` is what duplicates share."""

    event_id: str
    kind: str


@dataclass
class Progress:
    """Where an axis stands and what became of every event: plain lists, in the order in which it happened."""

    state: str
    applied: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    held_then_applied: list[str] = field(default_factory=list)
    recorded_stale: list[str] = field(default_factory=list)
    held: list[Event] = field(default_factory=list)

    def knows(self, event_id: str) -> bool:
        return (
            event_id in self.applied
            or event_id in self.recorded_stale
            or any(e.event_id == event_id for e in self.held)
        )


def receive(table: Table, progress: Progress, event: Event) -> Outcome:
    """Takes one event in; returns what became of it. Held events that fit after a move are applied at once.

    Raises `UnknownEvent` for a kind without a row, before anything is recorded.
    """
    fit = table.fit(progress.state, event.kind)
    if progress.knows(event.event_id):
        progress.duplicates.append(event.event_id)
        return Outcome.DUPLICATE
    if fit is Fit.EARLY:
        progress.held.append(event)
        return Outcome.HELD
    if fit is Fit.LATE:
        progress.recorded_stale.append(event.event_id)
        return Outcome.STALE
    _apply(table, progress, event)
    _release_held(table, progress)
    return Outcome.APPLIED


def _apply(table: Table, progress: Progress, event: Event) -> None:
    progress.state = table.move(event.kind).to
    progress.applied.append(event.event_id)


def _release_held(table: Table, progress: Progress) -> None:
    """Applies every held event that now fits; then writes off those whose moment has passed."""
    while fitting := [e for e in progress.held if table.fit(progress.state, e.kind) is Fit.FITS]:
        # The one that leads least far goes first (of equals, the one held longest): a held SIGNED is applied before
        # a held RECEIPT_CONFIRMED, whichever came first, and no step is lost that could still be taken.
        event = min(fitting, key=lambda e: table.rank_of(table.move(e.kind).to))
        progress.held.remove(event)
        _apply(table, progress, event)
        progress.held_then_applied.append(event.event_id)
    late = [e for e in progress.held if table.fit(progress.state, e.kind) is Fit.LATE]
    progress.recorded_stale += [e.event_id for e in late]
    progress.held = [e for e in progress.held if e not in late]
