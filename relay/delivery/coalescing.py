"""Facts of one order that arrive together travel together: one signal costs the server ten times what a fact costs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.facts import Fact
from domain.inbox.event_routing import QUIET

MOST_FACTS = 200
"""What one `FactBatch` may hold."""
MOST_BYTES = 400_000
"""Far below the 2 MB at which Temporal refuses a payload."""


@dataclass(frozen=True)
class SignalPart:
    """The facts that one inbox row has for one order."""

    row_id: int
    order_no: str
    """Who listens (`Target.listener`): an order by its number, a case as `return/{return_no}`."""
    facts: tuple[Fact, ...]
    size: int
    """Of the stored facts, in bytes: near enough for the limit."""
    received_at: datetime
    traceparent: str | None = None

    @property
    def quiet(self) -> bool:
        """The order has nothing to do about it."""
        return all(fact.kind in QUIET for fact in self.facts)


@dataclass
class Bundle:
    """Parts for one order, waiting until `due`."""

    order_no: str
    due: datetime
    parts: list[SignalPart] = field(default_factory=list)

    def takes(self, part: SignalPart) -> bool:
        facts = sum(len(p.facts) for p in self.parts) + len(part.facts)
        return facts <= MOST_FACTS and sum(p.size for p in self.parts) + part.size <= MOST_BYTES

    def facts(self) -> tuple[Fact, ...]:
        return tuple(fact for part in sorted(self.parts, key=lambda p: p.row_id) for fact in part.facts)


class Gathering:
    """Bundles by order. An order has at most one bundle on its way, so that its facts stay in inbox order.

    `linger`: how long a fact waits for company; `quiet`: how long one does about which the order has nothing to do. It
    rides with the next one that wakes the order, or goes alone in the end (decision 0076)."""

    def __init__(self, linger: timedelta, quiet: timedelta = timedelta(0)) -> None:
        self._linger = linger
        self._quiet = max(linger, quiet)
        self._waiting: dict[str, list[Bundle]] = {}
        self._under_way: set[str] = set()

    def add(self, part: SignalPart, now: datetime) -> None:
        """The window opens when a fact was received, and whoever is in the greatest hurry closes it; clocks of two
        hosts may differ, hence the clamp."""
        linger = self._quiet if part.quiet else self._linger
        due = min(max(part.received_at + linger, now), now + linger)
        bundles = self._waiting.setdefault(part.order_no, [])
        if bundles and bundles[-1].takes(part):
            bundles[-1].parts.append(part)
            bundles[-1].due = min(bundles[-1].due, due)
            return
        bundles.append(Bundle(part.order_no, due, [part]))

    def take_due(self, now: datetime, *, all_of_them: bool = False) -> Sequence[Bundle]:
        """Bundles to send now; each has to be given back with `arrived`, whatever became of it."""
        ready = []
        for order_no, bundles in list(self._waiting.items()):
            if order_no in self._under_way or not (all_of_them or bundles[0].due <= now or len(bundles) > 1):
                continue
            ready.append(bundles.pop(0))
            self._under_way.add(order_no)
            if not bundles:
                del self._waiting[order_no]
        return ready

    def arrived(self, bundle: Bundle) -> None:
        self._under_way.discard(bundle.order_no)

    def next_due(self) -> datetime | None:
        return min((b[0].due for no, b in self._waiting.items() if no not in self._under_way), default=None)
