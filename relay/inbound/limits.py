"""How much of a request is read, and for how long it is waited for."""

from dataclasses import dataclass

from bounded_http import HeadLimits


@dataclass(frozen=True)
class Limits(HeadLimits):
    """Sizes in bytes, times in seconds. Callbacks of all our sources are far below these (docs/providers.md)."""

    body: int = 1_000_000
    """Of a source that says nothing else of itself (`most_bytes` of its receiver)."""
    body_s: float = 10.0
    """A whole body has to be here after this; a slow one is answered 408 and cut."""
