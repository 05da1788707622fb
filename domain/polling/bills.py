"""What is wrong with a channel's bill that no order can be told of: a person compares it with the channel's books."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.refunds.outside import yuan

SETTLED_AFTER = timedelta(days=2)
"""Bills of a day are made by ten in the morning of the next, and the night's work comes before that."""
KEPT_FOR = timedelta(days=8)
"""A bill that could not be read is asked for again on each of these days."""
NAMED = 10
"""Numbers of each kind that a ticket names."""


@dataclass
class BillFindings:
    """Of one bill. `strange`: number and amount of money of orders that are not ours; `differing`: (number, amount
    there, amount in our books); `under_way`: refunds that nobody asked for here and that had not ended."""

    lines: int = 0
    news: int = 0
    strange: list[tuple[str, int]] = field(default_factory=list)
    strange_count: int = 0
    strange_minor: int = 0
    differing: list[tuple[str, int, int]] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)

    def add_strange(self, number: str, minor: int) -> None:
        """Whoever shares the merchant account may have thousands: counted, the first few named."""
        self.strange_count += 1
        self.strange_minor += minor
        if len(self.strange) < NAMED:
            self.strange.append((number, minor))

    def text(self) -> str:
        """For a person; empty: everything fits."""
        return "; ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        if self.strange_count:
            named = first_few([f"{no} {yuan(minor, 'CNY')}" for no, minor in self.strange], self.strange_count)
            total = yuan(self.strange_minor, "CNY")
            yield f"{self.strange_count} payments or refunds, {total} in all, of orders that are not ours: {named}"
        if self.differing:
            told = [f"{no} {yuan(there, 'CNY')}, here {yuan(here, 'CNY')}" for no, there, here in self.differing]
            yield f"other amounts than in our books: {first_few(told, len(told))}"
        if self.under_way:
            yield f"refunds under way that nobody asked for here: {first_few(self.under_way, len(self.under_way))}"


def days_to_read(today: date, first: date | None) -> tuple[date, ...]:
    """Oldest first. `first`: the day of the first order; None: there is none."""
    if first is None:
        return ()
    days = (today - timedelta(days=n) for n in range(KEPT_FOR.days, SETTLED_AFTER.days - 1, -1))
    return tuple(day for day in days if day >= first)


def first_few(told: Sequence[str], count: int) -> str:
    more = f" and {count - NAMED} more" if count > NAMED else ""
    return ", ".join(told[:NAMED]) + more
