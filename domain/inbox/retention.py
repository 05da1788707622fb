"""How long the inbox keeps what it no longer needs (R06): days by state, counted from receipt."""

from typing import Annotated

from pydantic import Field

from domain.strict import Strict

Days = Annotated[int, Field(ge=1, le=3650)]


class Retention(Strict):
    """Bodies are dropped, rows stay: event id, digest and facts, so that a late duplicate is still a duplicate. What
    still waits for somebody (received, delivered, held, parked, dead, conflicting) keeps its body however old it is.
    """

    applied_days: Days = 90
    stale_days: Days = 90
    duplicate_days: Days = 30
    kept_days: Days = 30
    mismatch_days: Days = 365
    refused_days: Days = 180
    """Refused messages have no body; their row goes."""
    repeats_days: Days = 30
    """Notes that a copy of a known message came, and settled notices of tickets."""

    def bodies(self) -> dict[str, int]:
        """Days by state of the inbox."""
        return {
            "applied": self.applied_days,
            "stale": self.stale_days,
            "duplicate": self.duplicate_days,
            "kept": self.kept_days,
            "mismatch": self.mismatch_days,
        }
