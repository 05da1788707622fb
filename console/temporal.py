"""The connection to Temporal: made when somebody first does something, so that pages show while it is away."""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio.client import Client


class LazyTemporal:
    """`connect` raises `starter.clients.errors.Unreachable` or `UnableToConfigure`; then the next one tries again."""

    def __init__(self, connect: Callable[[], Awaitable[Client]]) -> None:
        self._connect = connect
        self._client: Client | None = None
        self._one_at_a_time = asyncio.Lock()

    async def client(self) -> Client:
        async with self._one_at_a_time:
            if self._client is None:
                self._client = await self._connect()
            return self._client
