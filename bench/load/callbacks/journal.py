"""A sender's own memory: a line is written before what it says may be believed."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, Self


class Journal:
    """Append-only JSON lines, past the program's own buffers: they survive its being killed. Not synced: the machine's
    death is no fault that we play, and a sync a line kept the disk from those whom the sender measures. `ids`: how
    often each message stands in it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.ids: Counter[str] = Counter()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)

    def add(self, message_id: str, **more: Any) -> None:
        """Returns once the line is written."""
        os.write(self._file, json.dumps({"id": message_id, **more}).encode() + b"\n")
        self.ids[message_id] += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
