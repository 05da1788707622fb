"""What an activity is asked and answers, read as what it is: a worker's, or nobody's (`Unsealed`)."""

from collections.abc import Sequence
from copy import copy
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Self

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError

from domain.trust.seals import (
    OTHER_CALL,
    SEALED_BY,
    SEALED_FOR,
    UNSEALED_ERROR,
    WORKER,
    Unsealed,
    activity_purpose,
    answer_purpose,
)
from wire.bounded_failures import BoundedFailureConverter
from wire.encrypted_payloads import DecryptedPayloadConverter, UnreadablePayload, hide, said
from wire.sealed_payloads import is_done_here
from workflows.durable.raw_messages import BAD_MESSAGE


def _is_a_workers(payload: Payload, context: ActivitySerializationContext) -> bool:
    """What was asked is no answer, nor is what was answered to another call. (Who does an activity reads both: what
    earlier attempts have told, too.)"""
    kind, metadata = context.activity_type or "", payload.metadata
    asked = (activity_purpose(kind),) if is_done_here(context) else ()
    fits = metadata.get(SEALED_FOR, b"").decode() in (*asked, answer_purpose(kind))
    return bool(metadata.get(SEALED_BY) == WORKER.encode() and fits and OTHER_CALL not in metadata)


def _counts_until(judge: "SealedPayloadConverter | SealedFailureConverter", payload: Payload) -> datetime | None:
    """Before which moment it counted as it is. Of another call it may have been told before calls had names."""
    return judge.calls_since if OTHER_CALL in payload.metadata else judge.since


class SealedPayloadConverter(DecryptedPayloadConverter):
    """What an activity is asked or answers, and no worker has sealed, is read as `Unsealed`: an error here would stop
    the workflow's task for ever. An update that cannot be decrypted is refused by its type."""

    since: ClassVar[datetime | None] = None
    calls_since: ClassVar[datetime | None] = None
    _context: ActivitySerializationContext | None = None
    _in_workflow = False

    def with_context(self, context: SerializationContext) -> Self:
        made = copy(super().with_context(context))
        made._in_workflow = isinstance(context, WorkflowSerializationContext)
        if isinstance(context, ActivitySerializationContext) and not context.is_local:
            made._context = context
        return made

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Raises `UnreadablePayload`; for what a stranger has told a workflow `ApplicationError`."""
        context = self._context
        if context is None or all(_is_a_workers(payload, context) for payload in payloads):
            try:
                return super().from_payloads(payloads, type_hints)
            except UnreadablePayload as error:
                if not self._in_workflow:
                    raise
                raise ApplicationError(str(error), type=BAD_MESSAGE) from None
        hints: list[Any] = [*(type_hints or ()), *[None] * len(payloads)]
        return [
            Unsealed(context.activity_type or "", _counts_until(self, payload), partial(self._read, payload, hint))
            for payload, hint in zip(payloads, hints, strict=False)
        ]

    def _read(self, payload: Payload, hint: type | None) -> Any:
        return super().from_payloads([payload], [hint] if hint is not None else None)[0]


class SealedFailureConverter(BoundedFailureConverter, WithSerializationContext):
    """An activity's failure says what it is once more in a payload, which is sealed. One that no worker told is marked
    (`workflows.durable.seals`). `hides`: the readable words go, since the payload is encrypted."""

    since: ClassVar[datetime | None] = None
    calls_since: ClassVar[datetime | None] = None
    hides: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._context: ActivitySerializationContext | None = None

    def with_context(self, context: SerializationContext) -> Self:
        if not isinstance(context, ActivitySerializationContext) or context.is_local:
            return self
        made = type(self)()
        made._context = context
        return made

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        if self.hides:
            hide(failure, payload_converter)
        elif self._context is not None and not failure.HasField("encoded_attributes"):
            failure.encoded_attributes.CopyFrom(payload_converter.to_payloads([said(failure)])[0])

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        error = super().from_failure(failure, payload_converter)
        context = self._context
        # What the server itself says, such as a time-out, has no words of anybody's.
        words = context is not None and failure.HasField("application_failure_info")
        if words and context is not None and not _is_told(failure, payload_converter, context):
            until = _counts_until(self, failure.encoded_attributes)
            setattr(error, UNSEALED_ERROR, Unsealed(context.activity_type or "", until, lambda: error))
        return error


def _is_told(failure: Failure, converter: PayloadConverter, context: ActivitySerializationContext) -> bool:
    """A worker has sealed these words; message and stack trace are read from there, whatever else stands in clear."""
    words = failure.encoded_attributes
    if not (failure.HasField("encoded_attributes") and _is_a_workers(words, context)):
        return False
    told = converter.from_payloads([words])[0]
    return isinstance(told, dict) and told.get("type") == failure.application_failure_info.type
