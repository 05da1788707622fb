"""Seals on what goes through Temporal (domain/trust/seals.py), and the converter of all clients.

A codec seals whatever this process writes and says of whatever it reads who wrote it. What an activity is asked and
answers must be a worker's; signals are judged by the workflow that hears them (workflows/durable/seals.py). A seal is
over the ciphertext (encrypted_payloads.py): who wrote something is known before anything is decrypted.
"""

from collections.abc import Sequence
from copy import copy
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Self

import structlog
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from bounded_failures import BoundedFailureConverter
from domain.trust.encryption import BOUND_TO, ENCRYPTED, KEY_ID, PayloadKeys
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
    answer_purpose,
)
from encrypted_payloads import (
    DecryptedPayloadConverter,
    EncryptingCodec,
    HiddenFailureConverter,
    NothingElsewhere,
    PayloadCipher,
    UnableToDecrypt,
    hide,
    said,
    workflow_of,
)
from workflows.durable.raw_messages import BAD_MESSAGE

log = structlog.get_logger("oms.seals")
JUDGED = (SEALED_BY, SEALED_FOR, SEALED_SINCE)
"""What only the reader says."""


def data_converter(ring: KeyRing | None, keys: PayloadKeys | None) -> DataConverter:
    """For a client. Without a ring nothing is sealed and nothing is demanded; without keys everything is written in
    clear."""
    cipher = PayloadCipher(keys)
    if ring is None:
        return NothingElsewhere(
            payload_converter_class=DecryptedPayloadConverter,
            failure_converter_class=HiddenFailureConverter if cipher.writes else BoundedFailureConverter,
            payload_codec=EncryptingCodec(cipher) if keys else None,
        )
    since = {"since": ring.since}
    return NothingElsewhere(
        payload_converter_class=type("SealedPayloads", (SealedPayloadConverter,), since),
        failure_converter_class=type("SealedFailures", (SealedFailureConverter,), {**since, "hides": cipher.writes}),
        payload_codec=SealingCodec(ring, cipher),
    )


class SealingCodec(PayloadCodec, WithSerializationContext):
    """Adds a seal to the metadata of what has been encrypted, or is in clear.

    What one of ours has sealed and this process cannot decrypt stops it, as long as the key is not here: any verdict on
    it would be wrong, and could not be taken back by a replay. What anybody else has written stays as it is, and is
    refused by whoever takes it."""

    def __init__(self, ring: KeyRing, cipher: PayloadCipher, context: SerializationContext | None = None) -> None:
        self._ring = ring
        self._cipher = cipher
        self._context = context

    def with_context(self, context: SerializationContext) -> Self:
        return type(self)(self._ring, self._cipher, context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        where, workflow_id = _where(self._context), workflow_of(self._context)
        encrypted = [self._cipher.encrypted(_bare(payload), workflow_id) for payload in payloads]
        return [self._sealed(payload, *where) for payload in encrypted] if where else encrypted

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises `UnableToDecrypt`."""
        return [self._judged(payload) for payload in payloads]

    def _sealed(self, payload: Payload, workflow_id: str, purpose: str) -> Payload:
        seal = self._ring.seal(workflow_id, purpose, _form(payload), payload.data)
        payload.metadata[SEAL] = seal.encode()
        return payload

    def _judged(self, payload: Payload) -> Payload:
        found = self._found(payload)
        judged = _bare(self._decrypted(payload, found))
        judged.metadata[SEALED_BY] = found.by.encode()
        judged.metadata[SEALED_FOR] = found.purpose.encode()
        if self._ring.since is not None:
            judged.metadata[SEALED_SINCE] = self._ring.since.isoformat().encode()
        return judged

    def _decrypted(self, payload: Payload, found: SealedAs) -> Payload:
        try:
            return self._cipher.decrypted(payload, workflow_of(self._context))
        except UnableToDecrypt:
            if found.by:
                raise
            return payload

    def _found(self, payload: Payload) -> SealedAs:
        where = _where(self._context)
        seal = payload.metadata.get(SEAL, b"").decode("ascii", errors="replace")
        if not seal or where is None:
            return SealedAs()
        return self._ring.read(seal, where[0], _form(payload), payload.data)


def _form(payload: Payload) -> bytes:
    """What the seal says of the bytes: of encrypted ones how they are read, too. Else a stranger tells a sealed message
    once more under the name of a key that nobody has, and whoever waits for that key has stopped."""
    encoding: bytes = payload.metadata.get("encoding", b"")
    if encoding != ENCRYPTED:
        return encoding
    return repr((encoding, *(payload.metadata.get(name) for name in (KEY_ID, BOUND_TO)))).encode()


def _where(context: SerializationContext | None) -> tuple[str, str] | None:
    """Workflow and the purpose of what is written; None where nothing is sealed: a local activity never leaves its
    worker."""
    if isinstance(context, WorkflowSerializationContext):
        return context.workflow_id, WORKFLOW
    if isinstance(context, ActivitySerializationContext) and context.workflow_id and not context.is_local:
        purpose = answer_purpose if _is_done_here(context) else activity_purpose
        return context.workflow_id, purpose(context.activity_type or "")
    return None


def _bare(payload: Payload) -> Payload:
    """A copy without anybody's word on who sealed it."""
    copy = Payload()
    copy.CopyFrom(payload)
    for name in (SEAL, *JUDGED):
        copy.metadata.pop(name, None)
    return copy


def _is_done_here(context: ActivitySerializationContext) -> bool:
    """By who does the activity; the SDK tells a workflow no number of the one that it asks for."""
    return context.activity_id is not None


def _is_a_workers(payload: Payload, context: ActivitySerializationContext) -> bool:
    """What was asked is no answer. (Who does an activity reads both: what earlier attempts have told, too.)"""
    kind, metadata = context.activity_type or "", payload.metadata
    asked = (activity_purpose(kind),) if _is_done_here(context) else ()
    fits = metadata.get(SEALED_FOR, b"").decode() in (*asked, answer_purpose(kind))
    return bool(metadata.get(SEALED_BY) == WORKER.encode() and fits)


class SealedPayloadConverter(DecryptedPayloadConverter):
    """What an activity is asked or answers, and no worker has sealed, is read as `Unsealed`: an error here would stop
    the workflow's task for ever. An update that cannot be decrypted is refused by its type."""

    since: ClassVar[datetime | None] = None
    _context: ActivitySerializationContext | None = None
    _in_workflow = False

    def with_context(self, context: SerializationContext) -> Self:
        made = copy(super().with_context(context))
        made._in_workflow = isinstance(context, WorkflowSerializationContext)
        if isinstance(context, ActivitySerializationContext) and not context.is_local:
            made._context = context
        return made

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Raises `UnableToDecrypt`; for what a stranger has told a workflow `ApplicationError`."""
        context = self._context
        if context is None or all(_is_a_workers(payload, context) for payload in payloads):
            try:
                return super().from_payloads(payloads, type_hints)
            except UnableToDecrypt as error:
                if not self._in_workflow:
                    raise
                raise ApplicationError(str(error), type=BAD_MESSAGE) from None
        hints: list[Any] = [*(type_hints or ()), *[None] * len(payloads)]
        return [
            Unsealed(context.activity_type or "", self.since, partial(self._read, payload, hint))
            for payload, hint in zip(payloads, hints, strict=False)
        ]

    def _read(self, payload: Payload, hint: type | None) -> Any:
        return super().from_payloads([payload], [hint] if hint is not None else None)[0]


class SealedFailureConverter(BoundedFailureConverter, WithSerializationContext):
    """An activity's failure says what it is once more in a payload, which is sealed. One that no worker told is marked
    (`workflows.durable.seals`). `hides`: the readable words go, since the payload is encrypted."""

    since: ClassVar[datetime | None] = None
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
            setattr(error, UNSEALED_ERROR, Unsealed(context.activity_type or "", self.since, lambda: error))
        return error


def _is_told(failure: Failure, converter: PayloadConverter, context: ActivitySerializationContext) -> bool:
    """A worker has sealed these words; message and stack trace are read from there, whatever else stands in clear."""
    words = failure.encoded_attributes
    if not (failure.HasField("encoded_attributes") and _is_a_workers(words, context)):
        return False
    told = converter.from_payloads([words])[0]
    return isinstance(told, dict) and told.get("type") == failure.application_failure_info.type


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
