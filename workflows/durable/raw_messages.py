"""Messages that a workflow takes as raw bytes and reads strictly itself, and the refusal of a start.

A typed argument that cannot be decoded would block the workflow for ever; read here, it is an answer that says what is
wrong.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Self, TypeVar, cast

from pydantic import BaseModel
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.strict import UnableToRead, parse
from domain.trust.card_numbers import card_in
from domain.trust.encryption import ENCRYPTED, KEY_ID, unreadable

M = TypeVar("M", bound=BaseModel)
Check = TypeVar("Check", bound=Callable[..., None])

BAD_MESSAGE = "BadMessage"
NO_CARDS = "card numbers are refused"
CARD = "{field} has what looks like a payment card's number or code, which nobody may keep: leave it out"
NO_ARGUMENT = RawValue(Payload())
"""Of a workflow that is started without one: refused like anything else that is not JSON."""


class StartRefused(Exception):
    """An order or an application that is not taken. `kind`: the error type that the caller sees; `reasons`: all of
    them, where there are several."""

    def __init__(self, kind: str, text: str, reasons: tuple[object, ...] = ()) -> None:
        super().__init__(text)
        self.kind, self.reasons = kind, reasons

    def error(self) -> ApplicationError:
        return ApplicationError(str(self), *self.reasons, type=self.kind, non_retryable=True)


class StartedWithOneMessage:
    """Of a workflow whose `__init__` takes its start message. Started with more it is refused; by itself Python's own
    error would stop its task for ever."""

    def __new__(cls, *arguments: Any) -> Self:
        if len(arguments) > 1:
            why = f"{cls.__name__} is started with {len(arguments)} arguments, and takes one"
            raise ApplicationError(why, type=BAD_MESSAGE, non_retryable=True)
        return super().__new__(cls)


def read(model: type[M], raw: RawValue, what: str) -> M:
    """Raises `UnableToRead`. `what`: the message's name in the refusal of one that is not JSON."""
    return parse(model, json_bytes(raw, what))


def no_card(message: BaseModel, kind: str) -> None:
    """Of a start. Raises `StartRefused`; what was taken before it was looked for stays taken."""
    if (field := card_in(message.model_dump(mode="json"))) and workflow.patched(NO_CARDS):
        raise StartRefused(kind, CARD.format(field=field))


def read_only_one(model: type[M], arguments: Sequence[RawValue], what: str) -> M:
    """Of a signal with one argument. Raises `UnableToRead`."""
    if len(arguments) != 1:
        raise UnableToRead(f"the {what} has {len(arguments)} arguments, and takes one")
    return read(model, arguments[0], what)


def well_formed(check: Check) -> Check:
    """For the validator of an update: refuses what is not its message before anything looks at it.

    The SDK hands over null, bytes and foreign encodings as they came, whatever the handler declares, and as many
    arguments as were sent; behind the validator the first use of one would stop the workflow's task for ever.
    """
    expected = [p.annotation for p in inspect.signature(check).parameters.values()][1:]
    wanted = ", ".join(model.__name__ for model in expected) or "no argument"

    @wraps(check)
    def checked(self: object, *arguments: Any) -> None:
        fits = len(arguments) == len(expected)
        if not fits or not all(isinstance(a, model) for a, model in zip(arguments, expected, strict=True)):
            raise ApplicationError(f"the update takes {wanted} as JSON (payload encoding json/plain)", type=BAD_MESSAGE)
        # Of what comes, and not of what was taken: handlers look once more, also those of a stored history.
        for message in arguments if workflow.unsafe.is_read_only() else ():
            if field := card_in(message.model_dump(mode="json")):
                raise ApplicationError(CARD.format(field=field), type=BAD_MESSAGE)
        check(self, *arguments)

    return cast(Check, checked)


def json_bytes(raw: RawValue, what: str) -> bytes:
    """Raises `UnableToRead` for a payload that does not say that it is JSON."""
    encoding = raw.payload.metadata.get("encoding")
    if encoding == ENCRYPTED:
        raise UnableToRead(f"the {what} {unreadable(raw.payload.metadata.get(KEY_ID, b''))}")
    if encoding != b"json/plain":
        raise UnableToRead(f"the {what} is not JSON (payload encoding json/plain)")
    return raw.payload.data


def check_workflow_id(expected: str, kind: str) -> None:
    """A workflow is found by the number in its message. Raises `StartRefused` of this kind."""
    actual = workflow.info().workflow_id
    if actual != expected:
        raise StartRefused(kind, f"the workflow id must be {expected}, it is {actual}")
