"""For whom a parcel stands still: a return or a hold, by its number."""

HOLD = "H-"
"""How the number of a hold begins; a return's never does."""


def named(holder: str) -> str:
    return f"hold {holder}" if holder.startswith(HOLD) else f"return {holder}"


def not_taken(holder: str) -> str:
    return f"hold {holder} is over" if holder.startswith(HOLD) else f"return {holder} did not take it"
