"""Where the audit's chain is tied down outside the database: lines in a file that only grows, each signed.

The chain shows every changed or missing row but one: that its end was cut off. A signed line "row n had hash h" outside
the table shows that too. Keep the file on another machine, or ship it there (docs/operations.md). Each line names the
one before, so a line taken out shows; lines cut off together with the audit's end are found by their copies.
"""

import errno
import fcntl
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
    """One line of the file: the audit's last row at a moment, and the proof that we wrote so (HMAC-SHA256). `prev`: the
    `mac` of the line before; lines of older versions have none."""

    seq: Annotated[int, Field(ge=1)]
    hash: _Hash
    at: str
    prev: _Hash | None = None
    mac: _Hash

    @property
    def order(self) -> tuple[datetime, int]:
        """Which one is newer: after a backup was put in place rows have lower numbers than those anchored before."""
        return datetime.fromisoformat(self.at), self.seq

    def is_signed_with(self, key: bytes) -> bool:
        return hmac.compare_digest(self.mac, _mac(key, self.seq, self.hash, self.at, self.prev))

    def line(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode() + b"\n"


FIRST = "0" * 64
"""What the first line says of the one before."""
_TAIL = 4_096


@dataclass(frozen=True)
class ChainVerified:
    """`problems`: one line each, empty when the log is whole. `anchored`: the highest row that an anchor speaks of."""

    head: AuditHead | None
    broken_at: int | None
    anchors: int
    copies: int
    anchored: int
    problems: tuple[str, ...]


class AnchorFile:
    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key

    def append(self, head: AuditHead, at: datetime) -> Anchor:
        """On the disk when it returns. Several processes may append. Raises `UnableToAnchor`."""
        moment = at.isoformat()
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                prev = _last_mac(descriptor)
                mac = _mac(self._key, head.id, head.hash, moment, prev)
                anchor = Anchor(seq=head.id, hash=head.hash, at=moment, prev=prev, mac=mac)
                line = (b"" if _ends_whole(descriptor) else b"\n") + anchor.line()
                if os.write(descriptor, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UnableToAnchor(f"the anchor file {self._path} cannot be written: {error.strerror}") from None
        return anchor

    def newest(self) -> Anchor | None:
        """Of those that we signed, the one written last. Raises as `signed`."""
        return max(self.signed(), key=lambda anchor: anchor.order, default=None)

    def signed(self) -> tuple[Anchor, ...]:
        """Those that we signed; none without a file. Raises `UnableToAnchor` when there is one that cannot be read."""
        return self.read()[0] if self._path.exists() else ()

    def read(self) -> tuple[tuple[Anchor, ...], tuple[str, ...]]:
        """The anchors that we signed, and what is wrong with the other lines. Raises `UnableToAnchor`."""
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError as error:
            raise UnableToAnchor(f"the anchor file {self._path} cannot be read: {error.strerror}") from None
        anchors: list[Anchor] = []
        problems: list[str] = []
        before = FIRST
        for number, raw in enumerate(lines, start=1):
            try:
                anchor = parse(Anchor, raw)
            except UnableToRead:
                problems.append(f"line {number} of the anchor file is no anchor")
                continue
            if not anchor.is_signed_with(self._key):
                problems.append(f"line {number} of the anchor file was not signed with our key")
                continue
            if anchor.prev is not None and anchor.prev != before:
                problems.append(f"line {number} of the anchor file does not follow the one before: lines are gone")
            anchors.append(anchor)
            before = anchor.mac
        return tuple(anchors), tuple(problems)


def _ends_whole(descriptor: int) -> bool:
    """False: a line was torn, by a full disk or a machine that went down."""
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _last_mac(descriptor: int) -> str:
    """Of the last line that is an anchor, whoever signed it: what was meddled with shows when the file is read."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    for raw in reversed(tail.splitlines()):
        try:
            return parse(Anchor, raw).mac
        except UnableToRead:
            continue
    return FIRST


def _mac(key: bytes, seq: int, digest: str, at: str, prev: str | None) -> str:
    said = f"{seq}:{digest}:{at}" if prev is None else f"{seq}:{digest}:{at}:{prev}"
    return hmac.new(key, said.encode(), sha256).hexdigest()


def judge(
    head: AuditHead | None,
    broken_at: int | None,
    anchors: Sequence[Anchor],
    hashes: Mapping[int, str],
    problems: Sequence[str] = (),
    copies: Sequence[Anchor] = (),
) -> ChainVerified:
    """What the chain and its anchors say together. `hashes`: of the rows that anchors and copies speak of; `copies`:
    those that lie elsewhere."""
    found = list(problems)
    if copies and (newest := max(c.seq for c in copies)) > max((a.seq for a in anchors), default=0):
        found.append(f"lines of the anchor file are gone: row {newest} was anchored, as its copy elsewhere says")
    if broken_at is not None:
        found.append(f"row {broken_at} was changed, or the row before it is gone")
    last = head.id if head else 0
    for anchor in (*anchors, *copies):
        if anchor.seq > last:
            found.append(f"rows {last + 1} to {anchor.seq} are gone: row {anchor.seq} was there at {anchor.at}")
        elif hashes.get(anchor.seq) != anchor.hash:
            found.append(f"row {anchor.seq} is not the one that was anchored at {anchor.at}")
    anchored = max((a.seq for a in (*anchors, *copies)), default=0)
    return ChainVerified(head, broken_at, len(anchors), len(copies), anchored, tuple(dict.fromkeys(found)))
