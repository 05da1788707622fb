"""A sender's own memory: a line is on the disk before what it says may be believed."""

import asyncio
import json
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Self


class Journal:
    """Append-only JSON lines, synced; lines that come while a sync is under way share the next one, so that a sender
    does not keep the disk from those whom it measures. `ids`: how often each message stands in it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.ids: Counter[str] = Counter()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._some = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    async def add(self, message_id: str, **more: Any) -> None:
        """Returns once the line is on the disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((json.dumps({"id": message_id, **more}).encode() + b"\n", done))
        self._some.set()
        await done
        self.ids[message_id] += 1

    async def __aenter__(self) -> Self:
        self._writing = asyncio.create_task(self._write())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        os.close(self._file)

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            lines, self._waiting = self._waiting, []
            await asyncio.to_thread(self._sync, b"".join(line for line, _ in lines))
            for _, done in lines:
                if not done.done():
                    done.set_result(None)

    def _sync(self, lines: bytes) -> None:
        os.write(self._file, lines)
        os.fdatasync(self._file)
