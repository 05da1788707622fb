"""How a call of an outside system ended when it did not succeed: the type of its error in histories and metrics."""

from enum import StrEnum


class CallOutcome(StrEnum):
    REFUSED = "refused"
    """Final: the same call will be refused again. Certainly not done."""
    RETRY = "retry"
    """Certainly not done; a later try may succeed."""
    UNKNOWN = "unknown"
    """May or may not have been done: query before deciding."""
    PARTIAL = "partial"
    """Of a batch: some items are done, the others wait for the next try."""
