"""Seals on what goes through Temporal (domain/trust/seals.py): the converter of our own processes' clients.

A codec seals whatever this process writes and says of whatever it reads who wrote it. What an activity is asked and
answers must be a worker's; signals are judged by the workflow that hears them (workflows/durable/seals.py).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Self

import structlog
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverter,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.trust.seals import (
    SEAL,
    SEALED_BY,
    SEALED_FOR,
    SEALED_SINCE,
    UNSEALED_ERROR,
    WORKER,
    WORKFLOW,
    KeyRing,
    SealedAs,
    Unsealed,
    activity_purpose,
)

log = structlog.get_logger("oms.seals")
JUDGED = (SEALED_BY, SEALED_FOR, SEALED_SINCE)
"""What only the reader says."""


def data_converter(ring: KeyRing | None) -> DataConverter:
    """For a client of ours. Without keys nothing is sealed and nothing is demanded."""
    if ring is None:
        return pydantic_data_converter
    since = {"since": ring.since}
    return replace(
        pydantic_data_converter,
        payload_converter_class=type("SealedPayloads", (SealedPayloadConverter,), since),
        failure_converter_class=type("SealedFailures", (SealedFailureConverter,), since),
        payload_codec=SealingCodec(ring),
    )


class SealingCodec(PayloadCodec, WithSerializationContext):
    """Adds metadata and leaves the bytes alone: a reader without keys reads them as before."""

    def __init__(self, ring: KeyRing, context: SerializationContext | None = None) -> None:
        self._ring = ring
        self._context = context

    def with_context(self, context: SerializationContext) -> Self:
        return type(self)(self._ring, context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        where = _where(self._context)
        return [self._sealed(payload, *where) for payload in payloads] if where else list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._judged(payload) for payload in payloads]

    def _sealed(self, payload: Payload, workflow_id: str, purpose: str) -> Payload:
        sealed = _bare(payload)
        encoding = sealed.metadata.get("encoding", b"")
        seal = self._ring.seal(workflow_id, purpose, encoding, sealed.data)
        sealed.metadata[SEAL] = seal.encode()
        return sealed

    def _judged(self, payload: Payload) -> Payload:
        judged = _bare(payload)
        found = self._found(payload)
        judged.metadata[SEALED_BY] = found.by.encode()
        judged.metadata[SEALED_FOR] = found.purpose.encode()
        if self._ring.since is not None:
            judged.metadata[SEALED_SINCE] = self._ring.since.isoformat().encode()
        return judged

    def _found(self, payload: Payload) -> SealedAs:
        where = _where(self._context)
        seal = payload.metadata.get(SEAL, b"").decode("ascii", errors="replace")
        if not seal or where is None:
            return SealedAs()
        return self._ring.read(seal, where[0], payload.metadata.get("encoding", b""), payload.data)


def _where(context: SerializationContext | None) -> tuple[str, str] | None:
    """Workflow and purpose; None where nothing is sealed: a local activity never leaves its worker."""
    if isinstance(context, WorkflowSerializationContext):
        return context.workflow_id, WORKFLOW
    if isinstance(context, ActivitySerializationContext) and context.workflow_id and not context.is_local:
        return context.workflow_id, activity_purpose(context.activity_type or "")
    return None


def _bare(payload: Payload) -> Payload:
    """A copy without anybody's word on who sealed it."""
    copy = Payload()
    copy.CopyFrom(payload)
    for name in (SEAL, *JUDGED):
        copy.metadata.pop(name, None)
    return copy


def _is_a_workers(payload: Payload, context: ActivitySerializationContext) -> bool:
    purpose = activity_purpose(context.activity_type or "").encode()
    metadata = payload.metadata
    return bool(metadata.get(SEALED_BY) == WORKER.encode() and metadata.get(SEALED_FOR) == purpose)


class SealedPayloadConverter(PydanticPayloadConverter):
    """What an activity is asked or answers, and no worker has sealed, is read as `Unsealed`: an error here would stop
    the workflow's task for ever."""

    since: ClassVar[datetime | None] = None
    _context: ActivitySerializationContext | None = None

    def with_context(self, context: SerializationContext) -> Self:
        made = super().with_context(context)
        if isinstance(context, ActivitySerializationContext) and not context.is_local:
            if made is self:
                made = type(self)()
                made._set_converters(*self.converters.values())
            made._context = context
        return made

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        context = self._context
        if context is None or all(_is_a_workers(payload, context) for payload in payloads):
            return super().from_payloads(payloads, type_hints)
        hints: list[Any] = [*(type_hints or ()), *[None] * len(payloads)]
        return [
            Unsealed(context.activity_type or "", self.since, partial(self._read, payload, hint))
            for payload, hint in zip(payloads, hints, strict=False)
        ]

    def _read(self, payload: Payload, hint: type | None) -> Any:
        return super().from_payloads([payload], [hint] if hint is not None else None)[0]


class SealedFailureConverter(DefaultFailureConverter, WithSerializationContext):
    """An activity's failure says what it is once more in a payload, which is sealed; the readable words stay. One that
    no worker told is marked (`workflows.durable.seals`)."""

    since: ClassVar[datetime | None] = None

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
        if self._context is not None and not failure.HasField("encoded_attributes"):
            failure.encoded_attributes.CopyFrom(payload_converter.to_payloads([_said(failure)])[0])

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        error = super().from_failure(failure, payload_converter)
        context = self._context
        # What the server itself says, such as a time-out, has no words of anybody's.
        words = context is not None and failure.HasField("application_failure_info")
        if words and context is not None and not _is_told(failure, payload_converter, context):
            setattr(error, UNSEALED_ERROR, Unsealed(context.activity_type or "", self.since, lambda: error))
        return error


def _is_told(failure: Failure, converter: PayloadConverter, context: ActivitySerializationContext) -> bool:
    """A worker has sealed these very words."""
    words = failure.encoded_attributes
    if not (failure.HasField("encoded_attributes") and _is_a_workers(words, context)):
        return False
    return bool(converter.from_payloads([words])[0] == _said(failure))


def _said(failure: Failure) -> dict[str, str]:
    kind = failure.application_failure_info.type
    return {"message": failure.message, "stack_trace": failure.stack_trace, "type": kind}


class OnlyForOurWorkflows(Interceptor):
    """An activity is done for workflows of ours alone, and only when a worker of ours has asked for it."""

    def __init__(self, workflow_types: Sequence[str], ring: KeyRing | None) -> None:
        self._types = frozenset(workflow_types)
        self._demanded = ring is not None

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Asked(next, self._types, self._demanded)


class _Asked(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, workflow_types: frozenset[str], demanded: bool) -> None:
        super().__init__(next)
        self._types, self._demanded = workflow_types, demanded

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Raises `ApplicationError`, finally, with nothing done."""
        info = activity.info()
        if info.workflow_type not in self._types:
            raise _refused(f"no activity is done for a workflow of type {str(info.workflow_type)[:60]!r}")
        if self._demanded and not input.args and not info.is_local:
            raise _refused(f"{info.activity_type} is done only when a worker has asked for it, and this says nothing")
        if any(isinstance(argument, Unsealed) for argument in input.args):
            input.args = [_believed(argument) for argument in input.args]
        return await super().execute_activity(input)


def _believed(argument: Any) -> Any:
    if not isinstance(argument, Unsealed):
        return argument
    if argument.since is None or datetime.now(UTC) >= argument.since:
        raise _refused(f"{argument.activity} is done only when a worker has asked for it, and none has sealed this")
    return argument.value()


def _refused(why: str) -> ApplicationError:
    info = activity.info()
    log.warning("an activity was refused", workflow_id=info.workflow_id, activity=info.activity_type, why=why)
    return ApplicationError(why, type="NotOurs", non_retryable=True)
