"""How much of a request is read, and for how long it is waited for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds. Callbacks of all our sources are far below these (docs/providers.md)."""

    body: int = 1_000_000
    body_s: float = 10.0
    """A whole body has to be here after this; a slow one is answered 408 and cut."""
    head: int = 16_384
    """Request line and all headers together; more is answered 431."""
    head_s: float = 10.0
    """From the first byte (or the connection) to the end of the headers: uvicorn itself waits for ever."""
    keep_alive_s: float = 20.0
    connections: int = 1_000
