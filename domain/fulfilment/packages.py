"""The packages of one child: known by their numbers, delivered when all of them are."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.facts import Fact, Kind

TRAVELS = frozenset({Kind.WAYBILL_RETURNED, Kind.COLLECTED, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.SIGNED})
"""Goods are on their way under a number of which this is told. A label that was only printed is no package."""


@dataclass
class Packages:
    """`carriers`, `signed_at`: by waybill number, in the order in which they became known."""

    carriers: dict[str, str | None] = field(default_factory=dict)
    signed_at: dict[str, datetime] = field(default_factory=dict)

    def know(self, fact: Fact) -> None:
        number = fact.waybill_no
        if not number or fact.kind not in TRAVELS:
            return
        self.carriers[number] = fact.carrier or self.carriers.get(number)
        if fact.kind is Kind.SIGNED:
            self.signed_at[number] = min(fact.occurred_at, self.signed_at.get(number, fact.occurred_at))

    @property
    def several(self) -> bool:
        return len(self.carriers) > 1

    @property
    def open(self) -> tuple[str, ...]:
        """Numbers that nobody has signed for."""
        return tuple(number for number in self.carriers if number not in self.signed_at)

    def as_of_the_child(self, fact: Fact) -> tuple[Fact, str]:
        """What a fact about one package says of the whole, and why it says less. Signing for the last one is signing
        for the child, at the latest of the signatures."""
        if fact.kind is not Kind.SIGNED or not fact.waybill_no or not self.several:
            return fact, ""
        if self.open:
            less = f"package {fact.waybill_no} was signed for, not yet {', '.join(self.open)}"[:300]
            return fact.model_copy(update={"kind": Kind.IN_TRANSIT}), less
        return fact.model_copy(update={"occurred_at": max(self.signed_at.values())}), ""
