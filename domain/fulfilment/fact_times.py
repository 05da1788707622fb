"""A fact's own time is not believed beyond what is possible: not before its order was paid, not after it was heard."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.facts import COURIER_KINDS, Fact

MOVES_NOTHING = "kept as a trace"


@dataclass(frozen=True)
class TimedFact:
    """`fact`: as it counts. `stale`: why it moves nothing. `odd`: what a person should know of its time."""

    fact: Fact
    stale: str = ""
    odd: str = ""


def is_of_an_earlier_parcel(fact: Fact, since: datetime | None) -> bool:
    """A scan from before the order was paid is of whoever had the number before. Couriers tell whole seconds."""
    return since is not None and fact.kind in COURIER_KINDS and fact.occurred_at < since.replace(microsecond=0)


def timed(fact: Fact, since: datetime, now: datetime, skew_s: int) -> TimedFact:
    """`since`: when the order was paid, or the case applied for. Scans from outside of that and now (clocks differ by
    `skew_s`) are another parcel's, or a broken clock's; what a warehouse says has happened, only when is corrected."""
    if is_of_an_earlier_parcel(fact, since):
        return TimedFact(fact, stale=f"its time is before {_text(since)}: {MOVES_NOTHING}")
    ahead = fact.occurred_at - now > timedelta(seconds=skew_s)
    odd = f"{fact.kind.value} is dated {_text(fact.occurred_at)}, heard at {_text(now)}" if ahead else ""
    if fact.kind in COURIER_KINDS:
        return TimedFact(fact, stale=f"its time is to come: {MOVES_NOTHING}" if ahead else "", odd=odd)
    at = now if ahead else max(fact.occurred_at, since)
    return TimedFact(fact if at == fact.occurred_at else fact.model_copy(update={"occurred_at": at}), odd=odd)


def _text(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds")
