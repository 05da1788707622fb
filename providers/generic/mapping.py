"""The mapping: what in a source's JSON means what to us. Declarative and strict; there is no code in it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from domain.facts import Kind
from domain.strict import Strict
from providers.generic.needs import key_problems, kind_problems
from providers.generic.pointers import Pointer
from providers.generic.shapes import shape_of

BUILT_IN = frozenset({"wechat", "alipay", "qimen", "tms", "kuaidi100", "sf", "automation", "desk"})
PROBLEMS = "mapping_problems"
"""Type of the pydantic error whose context lists (place, text) of every fault across fields."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,63}")


def _own_source(name: str) -> str:
    if name in BUILT_IN:
        raise ValueError(f"{name} is built in; take another name")
    return name


def _variable_name(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("give the NAME of an environment variable that holds the secrets, never a secret itself")
    return name


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name[:40]!r} is not a time zone; write it as Asia/Shanghai") from None
    return name


def _time_format(text: str) -> str:
    if text in NAMED_TIMES:
        return text
    probe = datetime(2026, 3, 2, 18, tzinfo=UTC)
    try:
        read = datetime.strptime(probe.strftime(text), text).replace(tzinfo=UTC)
    except ValueError:
        read = None
    # A format may leave out the time of day, but neither the year nor whether it is morning.
    if read is None or read.date() != probe.date() or read.hour not in (0, probe.hour):
        raise ValueError(
            f"give one of {', '.join(NAMED_TIMES)}, or a format that tells day and hour: %Y-%m-%d %H:%M:%S"
        )
    return text


NAMED_TIMES = ("rfc3339", "epoch_s", "epoch_ms")
SourceName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,31}$"), AfterValidator(_own_source)
]  # part of a URL
EventType = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Value(Strict):
    """A text: `at` a place in the body, or `const`. `map` translates it; a text not in it refuses the message."""

    at: Pointer | None = None
    const: Word | None = None
    map: Annotated[dict[str, Word], Field(min_length=1, max_length=1000)] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.at is None) == (self.const is None):
            raise ValueError("give exactly one of at and const")
        if self.const is not None and (self.optional or self.map):
            raise ValueError("a const is always there and needs no map")
        return self


class Amount(Strict):
    """Money. `decimals`: how many the source writes: 0 for fen (19580), 2 for yuan (195.80). Never rounded."""

    at: Pointer
    decimals: Annotated[int, Field(ge=0, le=3)]
    optional: bool = False


class Actual(Strict):
    """Units really picked or shipped: `lines` is a list; `line_id` (ours) and `units` are places within one entry."""

    lines: Pointer
    line_id: Pointer
    units: Pointer
    optional: bool = False


class Moment(Strict):
    """When it happened. `zone` where the text has no offset of its own; epochs never need one."""

    at: Pointer
    format: Annotated[str, StringConstraints(max_length=40), AfterValidator(_time_format)] = "rfc3339"
    zone: Annotated[str, AfterValidator(_zone)] | None = None

    @model_validator(mode="after")
    def _zone_is_known(self) -> Self:
        if "%" in self.format and "%z" not in self.format and self.zone is None:
            raise ValueError("a format without %z needs a zone, such as Asia/Shanghai")
        if self.zone is not None and (self.format.startswith("epoch") or "%z" in self.format):
            raise ValueError("a time with its own offset takes no zone")
        return self


class Fields(Strict):
    """Fields of `domain.facts.Fact`. At least the numbers that tell whose fact it is."""

    order_no: Value | None = None
    child_no: Value | None = None
    waybill_no: Value | None = None
    refund_no: Value | None = None
    chargeback_no: Value | None = None
    transaction_id: Value | None = None
    merchant_id: Value | None = None
    carrier: Value | None = None
    currency: Value | None = None
    note: Value | None = None
    amount_minor: Amount | None = None
    actual: Actual | None = None

    def given(self) -> dict[str, Any]:
        """The fields that are mapped, by name."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class MappedEvent(Strict):
    """What one of their event types means. `fields` are added to the mapping's own, or replace them."""

    kind: Kind
    fields: Fields = Fields()
    key: Word | None = None


class SourceMapping(Strict):
    """One source. `unknown`: what becomes of types that are neither in `events` nor in `ignore`; kept is stored without
    facts."""

    version: Literal[1]
    source: SourceName
    secrets: Annotated[tuple[Annotated[str, AfterValidator(_variable_name)], ...], Field(min_length=1, max_length=5)]
    type: Pointer
    occurred_at: Moment
    fields: Fields = Fields()
    key: Word
    events: Annotated[dict[EventType, MappedEvent], Field(min_length=1, max_length=200)]
    ignore: Annotated[tuple[EventType, ...], Field(max_length=500)] = ()
    unknown: Literal["keep", "refuse"] = "keep"

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        problems = list(self._problems())
        if problems:
            text = "; ".join(f"{'.'.join(place)}: {text}" for place, text in problems)
            raise PydanticCustomError(PROBLEMS, "{text}", {"text": text, "problems": problems})
        return self

    def fields_of(self, event: MappedEvent) -> dict[str, Any]:
        """All fields that `event` fills, by name: `Value`, `Amount` or `Actual`."""
        return self.fields.given() | event.fields.given()

    def key_of(self, event: MappedEvent) -> str:
        return event.key or self.key

    def _problems(self) -> Iterator[tuple[tuple[str, ...], str]]:
        for position, name in enumerate(self.ignore):
            if name in self.events:
                yield ("ignore", str(position)), f"{name!r} stands in events too; it is either ignored or not"
            if name in self.ignore[:position]:
                yield ("ignore", str(position)), f"{name!r} stands here twice"
        for position, name in enumerate(self.secrets):
            if name in self.secrets[:position]:
                yield ("secrets", str(position)), f"{name} stands here twice"
        yield from _misshapen(self.fields, ("fields",))
        for name, event in self.events.items():
            yield from _misshapen(event.fields, ("events", name, "fields"))
            optional = {field: given.optional for field, given in self.fields_of(event).items()}
            place = ("events", name)
            for text in kind_problems(event.kind, optional):
                yield place, text
            for text in key_problems(self.key_of(event), self.source, event.kind, optional):
                yield (*place, "key") if event.key else place, text


def _misshapen(fields: Fields, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Texts of the mapping itself that no fact could hold."""
    for name, given in fields.given().items():
        if not isinstance(given, Value):
            continue
        for written in (given.const, *(given.map or {}).values()):
            if written is not None and not shape_of(name).fullmatch(written):
                yield (*place, name), f"{written[:40]!r} is not a {name}"
