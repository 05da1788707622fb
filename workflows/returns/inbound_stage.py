"""How far the goods of a case have come on their way back."""

from enum import StrEnum


class Stage(StrEnum):
    """How far they have come. What is behind is not done again by the next run."""

    AHEAD = "ahead"
    EXPECTED = "expected"
    HANDED_OVER = "handed over"
    RECEIVED = "received"
    INSPECTED = "inspected"
