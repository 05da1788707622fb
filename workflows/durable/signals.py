"""Signals as they come, raw. Facts that cannot be read as a batch are read one by one; what this version cannot read
(the relay may be newer than the worker) becomes a question for a person, and is never dropped in silence.

A workflow takes all its signals through one dynamic handler: to a named one the SDK gives no argument, or several that
are not decoded, or drops the signal with a line in a log.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue

from domain.facts import Fact
from domain.records import EventRecord
from domain.states import Outcome
from domain.strict import UnableToRead, faults, load, of
from workflows.durable.journal import Journal
from workflows.durable.raw_messages import json_bytes, read
from workflows.durable.tickets import Ticket
from workflows.messages import FACTS, FactBatch

ASKED = "unread-signals-are-asked-about"
MOST_ASKED = 50
"""Tickets of one workflow about what could not be read; whoever sends more is named in one last ticket."""
BEYOND = "further signals"
MOST_HEARD = 1_000
"""Facts of one signal; the relay sends 200. A task that reads 100,000 is taken for stuck and begun again."""


@dataclass(frozen=True)
class Unread:
    """A fact, or a whole signal, as far as it can be told. `key`: what is asked about once."""

    key: str
    why: str
    kind: str = "UNREAD"
    source: str = "temporal"
    inbox_id: int | None = None


def read_facts(arguments: Sequence[RawValue]) -> list[Fact | Unread]:
    """What signal `facts` says, in its order."""
    if not arguments:
        return [unread_signal(FACTS, arguments, "it came without an argument")]
    return [told for raw in arguments for told in _of_batch(raw)]


def unread_signal(name: str, arguments: Sequence[RawValue], why: str) -> Unread:
    """A signal of which nothing is understood; the same bytes again are the same question."""
    digest = hashlib.sha256(b"\0".join(raw.payload.data for raw in arguments)).hexdigest()[:12]
    return Unread(key=f"signal {_printable(name)[:60]} {digest}", why=why, kind=_printable(name)[:60])


def _of_batch(raw: RawValue) -> list[Fact | Unread]:
    if (count := _facts_in(raw)) > MOST_HEARD:
        return [unread_signal(FACTS, [raw], f"a signal of {count} facts: at most {MOST_HEARD} are heard")]
    try:
        return list(read(FactBatch, raw, "signal").facts)
    except UnableToRead as error:
        return _one_by_one(raw, str(error))


def _facts_in(raw: RawValue) -> int:
    """None, where there are too few commas for too many."""
    if raw.payload.data.count(b",") < MOST_HEARD:
        return 0
    try:
        told = load(json_bytes(raw, "signal"))
    except UnableToRead:
        return 0
    facts = told.get("facts") if isinstance(told, dict) else None
    return len(facts) if isinstance(facts, list) else 0


def _one_by_one(raw: RawValue, why: str) -> list[Fact | Unread]:
    try:
        told = load(json_bytes(raw, "signal"))
    except UnableToRead:
        return [unread_signal(FACTS, [raw], why)]
    facts = told.get("facts") if isinstance(told, dict) else None
    if not isinstance(facts, list) or not facts:
        return [unread_signal(FACTS, [raw], why)]
    found = [_one(value) for value in facts]
    if more := sorted(set(told) - {"facts"}):
        names = _printable(", ".join(more))[:150]
        found.append(Unread(key=f"facts with {names}", why=f"the batch says more than this version knows: {names}"))
    return found


def _one(value: Any) -> Fact | Unread:
    try:
        return of(Fact, value)
    except ValidationError as error:
        why = faults(error)
    fields = value if isinstance(value, dict) else {}
    number = fields.get("inbox_id")
    inbox_id = number if type(number) is int and 0 < number < 2**63 else None
    key = _text(fields.get("key"), 200) or (f"inbox row {inbox_id}" if inbox_id else _digest(value))
    kind, source = _text(fields.get("kind"), 60) or "UNREAD", _text(fields.get("source"), 64) or "unknown"
    return Unread(key, why, kind, source, inbox_id)


def _text(value: Any, most: int) -> str:
    return _printable(value)[:most] if isinstance(value, str) else ""


def _printable(text: str) -> str:
    """No control characters and no halves of a pair: PostgreSQL keeps neither."""
    return "".join(c for c in text if c.isprintable())


def _digest(value: Any) -> str:
    return f"fact {hashlib.sha256(repr(value).encode(errors='replace')).hexdigest()[:12]}"


class UnreadSignals:
    """What one workflow could not read. A fact that is heard after all (replayed after an upgrade) answers its
    ticket."""

    def __init__(self, journal: Journal[Any]) -> None:
        self._journal = journal
        self._asked: dict[str, Ticket] = {}

    def packed(self) -> dict[str, Any]:
        """For the next run."""
        return {key: self._journal.tickets.pack(ticket) for key, ticket in self._asked.items()}

    def unpack(self, asked: dict[str, Any]) -> None:
        self._asked = {key: self._journal.tickets.unpack(ticket) for key, ticket in asked.items()}

    def ask(self, told: Unread) -> None:
        """Its inbox row is not heard, whatever the relay believes: a mismatch, which can be replayed."""
        if not workflow.patched(ASKED):
            return
        if told.inbox_id is not None:
            self._journal.event(
                EventRecord(
                    key=told.key, kind=told.kind, source=told.source, occurred_at=workflow.now(),
                    outcome=Outcome.MISMATCH, from_status=self._journal.status, to_status=self._journal.status,
                    note=f"cannot be read: {_line(told.why)}", inbox_id=told.inbox_id,
                )
            )  # fmt: skip
        key = told.key if len(self._asked) < MOST_ASKED else BEYOND
        if key not in self._asked:
            self._asked[key] = self._open(told, key)

    def heard(self, fact: Fact) -> None:
        ticket = self._asked.get(fact.key)
        if ticket is not None and ticket.record.ticket_id in self._journal.tickets.open_ones:
            self._journal.tickets.close_on_evidence(ticket, "the fact could be read when it was told again")

    def _open(self, told: Unread, key: str) -> Ticket:
        row = f", inbox row {told.inbox_id}" if told.inbox_id is not None else ""
        again = f"`oms event replay {told.inbox_id}`" if told.inbox_id is not None else "its sender"
        return self._journal.tickets.open(
            told.source, "unread signal", f"{told.kind} {key}{row} cannot be read: {_line(told.why)}",
            give_up_means=f"it stays unheard; after an upgrade {again} tells it again", actions=("give_up",),
        )  # fmt: skip


def _line(text: str) -> str:
    return "; ".join(text.splitlines())[:250]
