"""What the relay needs from each source: read a raw callback, answer it in the source's own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.facts import Fact


@dataclass(frozen=True)
class RawRequest:
    """One HTTP request as it came: header names lower case, body the untouched bytes."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    remote_ip: str = ""


@dataclass(frozen=True)
class TracePoint:
    """One courier scan, kept in Postgres whether or not it changes a state."""

    waybill_no: str
    key: str
    at: datetime
    status: str
    text: str
    place: str = ""


@dataclass(frozen=True)
class Callback:
    """A verified callback. `event_id` is the source's message id, or a hash of the body where it has none."""

    event_id: str
    kind: str
    facts: tuple[Fact, ...]
    trace: tuple[TracePoint, ...] = field(default=())


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str


class CallbackRefused(Exception):
    """A callback that must not be believed. `reason` is one short word for counting; the text never holds a secret."""

    def __init__(self, reason: str, text: str, *, status: int = 401) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.status = status


class Receiver(Protocol):
    """One source of callbacks."""

    source: str

    def read(self, request: RawRequest, now: datetime) -> Callback:
        """Verify on the raw bytes, then parse. Raises `CallbackRefused`; never anything else, whatever the bytes."""
        ...

    def accepted(self, request: RawRequest) -> Answer: ...

    def refused(self, request: RawRequest, why: CallbackRefused) -> Answer: ...
