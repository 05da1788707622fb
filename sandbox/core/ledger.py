"""The journal of what a sandbox did: append-only JSON lines, indexed in memory, the only source of its state.

Each row is handed to the operating system before `add` returns, so it outlives a killed process (not a power cut,
which a sandbox need not survive). A half-written last line, left by a kill, is cut off on opening.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sandbox.core.settings import Clock


@dataclass(frozen=True)
class Row:
    """One happening. `at` is ISO 8601 UTC, `key` the provider's idempotency key or message id."""

    n: int
    at: str
    op: str
    key: str = ""
    order_no: str = ""
    amount_minor: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Ledger:
    def __init__(self, path: Path | None, clock: Clock) -> None:
        self.rows: list[Row] = []
        self._clock = clock
        self._by_order: dict[str, list[Row]] = defaultdict(list)
        self._file: int | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            self._load(path)

    def add(self, op: str, *, key: str = "", order_no: str = "", amount_minor: int | None = None, **data: Any) -> Row:
        """Append one row. `data` must be JSON."""
        row = Row(len(self.rows) + 1, self._clock().isoformat(), op, key, order_no, amount_minor, data)
        if self._file is not None:
            os.write(self._file, json.dumps(asdict(row), ensure_ascii=False).encode() + b"\n")
        self._index(row)
        return row

    def find(self, *, op: str = "", key: str = "", order_no: str = "", after: int = 0) -> list[Row]:
        """Rows matching every given value, oldest first, with n > `after`."""
        rows: Iterable[Row] = self._by_order.get(order_no, ()) if order_no else self.rows[after:]
        return [r for r in rows if r.n > after and op in ("", r.op) and key in ("", r.key)]

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _index(self, row: Row) -> None:
        self.rows.append(row)
        if row.order_no:
            self._by_order[row.order_no].append(row)

    def _load(self, path: Path) -> None:
        raw = path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) != len(raw):
            os.truncate(path, len(whole))
        for line in whole.splitlines():
            self._index(Row(**json.loads(line)))
