"""One owner for every paid unit and every fen that came in: what breaks it, in words that a person can act on.

A unit is exactly one of: waiting or reserved, on its way or delivered, refunded, held by an open return, named by an
open ticket. A fen is one of: covering such a unit's share, given back, in dispute, named by an open ticket.
"""

from enum import StrEnum

from domain.strict import Strict


class OwnerFault(StrEnum):
    """What was found instead of one owner. The values stand in the books."""

    CANCELLED = "cancelled"
    MISSING = "missing"
    REFUSED = "refused"
    UNRESERVED = "unreserved"
    CAME_BACK = "came back"
    LEFT_BEHIND = "left behind"
    NOWHERE = "nowhere"
    REFUNDED_AND_WAITING = "refunded and waiting"
    REFUNDED_AND_LEFT = "refunded and left"
    MONEY_LEFT_OVER = "money left over"
    MONEY_TWICE = "money twice"
    REFUNDED_IN_DISPUTE = "refunded in dispute"
    REFUND_FAILED = "refund failed"
    PAYMENT_NOT_BOOKED = "payment not booked"


_TEXTS: dict[OwnerFault, tuple[str, str]] = {
    OwnerFault.CANCELLED: (
        "parcel {child_no} is cancelled and nobody gave its money back",
        "give its money back, or have it shipped, and tell the buyer which",
    ),
    OwnerFault.MISSING: (
        "parcel {child_no} left without it and nobody gave its money back",
        "give its money back, or send it after",
    ),
    OwnerFault.REFUSED: (
        "parcel {child_no} came back to us and nobody was asked what now",
        "settle with the buyer: send it again or give its money back",
    ),
    OwnerFault.UNRESERVED: (
        "parcel {child_no} is to ship it and holds no stock for it",
        "compare with `oms stock show`; stop the parcel or book the stock",
    ),
    OwnerFault.CAME_BACK: (
        "it came back with a case that ended without paying it",
        "send it back to the buyer, or give its money back",
    ),
    OwnerFault.LEFT_BEHIND: (
        "the order has ended and parcel {child_no} never left with it",
        "give its money back, or have it shipped by hand",
    ),
    OwnerFault.NOWHERE: (
        "it is in no parcel, no refund and no open return",
        "give its money back, or have it shipped by hand",
    ),
    OwnerFault.REFUNDED_AND_WAITING: (
        "its money is given back ({holder}) and parcel {child_no} still ships it",
        "stop the parcel at the warehouse before it leaves",
    ),
    OwnerFault.REFUNDED_AND_LEFT: (
        "its money was given back ({holder}) and parcel {child_no} left with it afterwards",
        "ask the buyer to send it back or to pay it",
    ),
    OwnerFault.MONEY_LEFT_OVER: (
        "{amount_minor} that were paid cover no unit, were not given back and are not in dispute",
        "find the units named beside this; without any, give the money back",
    ),
    OwnerFault.MONEY_TWICE: (
        "{amount_minor} were given back and cover units that the buyer has, or is to get",
        "compare the refunds with their units: `oms order show`",
    ),
    OwnerFault.REFUNDED_IN_DISPUTE: (
        "{amount_minor} were refunded ({holder}) while the bank takes them back",
        "contest the chargeback at the channel with the refund as evidence",
    ),
    OwnerFault.REFUND_FAILED: (
        "refund {holder} of {amount_minor} came to nothing at the channel and nobody was asked",
        "ask the channel for it, then pay it again or by hand",
    ),
    OwnerFault.PAYMENT_NOT_BOOKED: (
        "payment {holder} of {amount_minor} did not fit and nobody was asked",
        "compare with the channel; give the money back or book it",
    ),
}


class OwnershipViolation(Strict):
    """One run of units, or one sum, that has no owner or two. `units` 0: it is about money alone."""

    order_no: str
    found: OwnerFault
    line_id: str = ""
    sku: str = ""
    first_unit: int = 0
    """Counted from 0 within its line, as everywhere in the books."""
    units: int = 0
    child_no: str = ""
    holder: str = ""
    """Refund or payment that is meant."""
    amount_minor: int = 0

    @property
    def key(self) -> str:
        """The same violation has the same key for as long as it stands."""
        return "/".join((self.found.value, self.line_id, str(self.first_unit), str(self.units), self.holder))

    @property
    def unit(self) -> str:
        """`0`, or `0-4`; empty for money."""
        last = self.first_unit + self.units - 1
        return "" if not self.units else str(self.first_unit) if self.units == 1 else f"{self.first_unit}-{last}"

    @property
    def what(self) -> str:
        return _TEXTS[self.found][0].format(**{name: getattr(self, name) for name in type(self).model_fields})

    @property
    def next_step(self) -> str:
        return _TEXTS[self.found][1]

    @property
    def text(self) -> str:
        """The whole of it in one sentence, for a ticket."""
        named = f"unit {self.unit} of line {self.line_id} ({self.sku}): " if self.units else ""
        return f"order {self.order_no}: {named}{self.what}. Next: {self.next_step}"
