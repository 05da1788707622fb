"""Waiting for what a process does, with an end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any


async def until(probe: Callable[[], Awaitable[Any]], within_s: float = 20) -> Any:
    """The first true answer of `probe`; fails with the last one when the time is over."""
    deadline = time.monotonic() + within_s
    while not (answer := await probe()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within_s} s"
        await asyncio.sleep(0.1)
    return answer
