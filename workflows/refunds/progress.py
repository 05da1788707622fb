"""How far one refund has come: what a run hands to the next."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Following:
    """Since when a refund is followed, and what a person was asked about it: the same in every run."""

    quiet_until: datetime | None = None
    late_at: datetime | None = None
    ticket_id: str = ""


@dataclass
class RefundUnderWay:
    """How far one refund has come: what is behind it is not done again by the next run."""

    has_slot: bool = False
    """Its turn at the channel has come already."""
    reserved: bool = False
    asked: int = 0
    turn_at: datetime | None = None
    """When the channel may be asked: asking the books again would take a later turn."""
    accepted: bool = False
    following: Following = field(default_factory=Following)
