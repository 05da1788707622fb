"""A sender's own memory: a line is on the disk before what it says may be believed."""

import json
import os
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Journal:
    """Append-only JSON lines, each synced. `ids`: how often each message stands in it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.ids: Counter[str] = Counter()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)

    def add(self, message_id: str, **more: Any) -> None:
        os.write(self._file, json.dumps({"id": message_id, **more}).encode() + b"\n")
        os.fdatasync(self._file)
        self.ids[message_id] += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: "type[BaseException] | BaseException | TracebackType | None") -> None:
        os.close(self._file)
