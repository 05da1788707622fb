"""Where the audit's chain is tied down outside the database: lines in a file that only grows, each signed.

The chain shows every changed or missing row but one: that its end was cut off. A signed line "row n had hash h" outside
the table shows that too. Keep the file on another machine, or ship it there (docs/operations.md).
"""

import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import Field

from domain.strict import Strict, UnableToRead, parse
from store.audit.audit import AuditHead

_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class UnableToAnchor(Exception):
    """The anchor file cannot be written or read; the text names it and says why."""


class Anchor(Strict):
    """One line of the file: the audit's last row at a moment, and the proof that we wrote so (HMAC-SHA256)."""

    seq: Annotated[int, Field(ge=1)]
    hash: _Hash
    at: str
    mac: _Hash


@dataclass(frozen=True)
class ChainVerified:
    """`problems`: one line each, empty when the log is whole. `anchored`: the highest row that an anchor speaks of."""

    head: AuditHead | None
    broken_at: int | None
    anchors: int
    anchored: int
    problems: tuple[str, ...]


class AnchorFile:
    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key

    def append(self, head: AuditHead, at: datetime) -> None:
        """On the disk when it returns. Several processes may append: a line is one write. Raises `UnableToAnchor`."""
        moment = at.isoformat()
        line = Anchor(seq=head.id, hash=head.hash, at=moment, mac=self._mac(head.id, head.hash, moment))
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line.model_dump_json().encode() + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UnableToAnchor(f"the anchor file {self._path} cannot be written: {error.strerror}") from None

    def read(self) -> tuple[tuple[Anchor, ...], tuple[str, ...]]:
        """The anchors that we signed, and what is wrong with the other lines. Raises `UnableToAnchor`."""
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError as error:
            raise UnableToAnchor(f"the anchor file {self._path} cannot be read: {error.strerror}") from None
        anchors: list[Anchor] = []
        problems: list[str] = []
        for number, raw in enumerate(lines, start=1):
            try:
                anchor = parse(Anchor, raw)
            except UnableToRead:
                problems.append(f"line {number} of the anchor file is no anchor")
                continue
            if hmac.compare_digest(anchor.mac, self._mac(anchor.seq, anchor.hash, anchor.at)):
                anchors.append(anchor)
            else:
                problems.append(f"line {number} of the anchor file was not signed with our key")
        return tuple(anchors), tuple(problems)

    def _mac(self, seq: int, digest: str, at: str) -> str:
        return hmac.new(self._key, f"{seq}:{digest}:{at}".encode(), sha256).hexdigest()


def judge(
    head: AuditHead | None,
    broken_at: int | None,
    anchors: Sequence[Anchor],
    hashes: Mapping[int, str],
    problems: Sequence[str] = (),
) -> ChainVerified:
    """What the chain and its anchors say together. `hashes`: of the rows that the anchors speak of."""
    found = list(problems)
    if broken_at is not None:
        found.append(f"row {broken_at} was changed, or the row before it is gone")
    last = head.id if head else 0
    for anchor in anchors:
        if anchor.seq > last:
            found.append(f"rows {last + 1} to {anchor.seq} are gone: row {anchor.seq} was there at {anchor.at}")
        elif hashes.get(anchor.seq) != anchor.hash:
            found.append(f"row {anchor.seq} is not the one that was anchored at {anchor.at}")
    anchored = max((a.seq for a in anchors), default=0)
    return ChainVerified(head, broken_at, len(anchors), anchored, tuple(dict.fromkeys(found)))
