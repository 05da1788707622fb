"""One body through one mapping: facts and trace, or the reasons why not. The receiver and the dry run both use it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError

from domain.facts import Fact, Kind
from domain.strict import UnableToRead, faults, load
from providers.generic.mapping import MappedEvent, SourceMapping
from providers.generic.reading import Reader
from providers.tracking import one_line

Outcome = Literal["facts", "ignored", "unknown", "refused"]
MAX_TYPE = 60


@dataclass(frozen=True)
class MappingExplanation:
    """What a body comes to. `outcome` ignored, unknown: stored without facts; refused: not taken, for all `errors`."""

    outcome: Outcome
    type: str = ""
    facts: tuple[Fact, ...] = ()
    errors: tuple[str, ...] = ()


def explain(mapping: SourceMapping, body: bytes | str) -> MappingExplanation:
    """The dry run of a mapping on one message body, without a signature. Raises nothing, whatever the body."""
    try:
        value = load(body)
    except (UnableToRead, UnicodeEncodeError) as e:
        return MappingExplanation("refused", errors=tuple(str(e).splitlines()))
    reader = Reader(value)
    event_type = reader.word("type", mapping.type)
    if event_type is None:
        return MappingExplanation("refused", errors=tuple(reader.faults))
    shown = one_line(event_type, MAX_TYPE) or "?"
    event = mapping.events.get(event_type)
    if event is not None:
        return _understood(mapping, event, shown, reader)
    if event_type in mapping.ignore:
        return MappingExplanation("ignored", shown)
    if mapping.unknown == "keep":
        return MappingExplanation("unknown", shown)
    return MappingExplanation("refused", shown, errors=("type: it is neither among the events nor ignored",))


def _understood(mapping: SourceMapping, event: MappedEvent, event_type: str, reader: Reader) -> MappingExplanation:
    at = reader.moment("occurred_at", mapping.occurred_at)
    found = {name: reader.field(name, given) for name, given in mapping.fields_of(event).items()}
    if reader.faults or at is None:
        return MappingExplanation("refused", event_type, errors=tuple(reader.faults))
    told = {name: value for name, value in found.items() if value is not None}
    key = mapping.key_of(event).format_map(_names(mapping, event.kind, event_type, at, told))
    try:
        fact = Fact(key=key, kind=event.kind, source=mapping.source, occurred_at=at, **told)
    except ValidationError as e:
        return MappingExplanation("refused", event_type, errors=tuple(faults(e).splitlines()))
    return MappingExplanation("facts", event_type, facts=(fact,))


def _names(mapping: SourceMapping, kind: Kind, event_type: str, at: datetime, told: dict[str, Any]) -> dict[str, Any]:
    moment = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return told | {"source": mapping.source, "kind": kind.value, "type": event_type, "occurred_at": moment}
