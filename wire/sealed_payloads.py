"""Seals on what goes through Temporal (domain/trust/seals.py).

A codec seals whatever this process writes and says of whatever it reads who wrote it. What an activity is asked and
answers must be a worker's (sealed_answers.py); signals are judged by the workflow that hears them
(workflows/durable/seals.py). A seal is over the ciphertext (encrypted_payloads.py): who wrote something is known before
anything is decrypted.
"""

from collections.abc import Sequence
from typing import Self

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from domain.trust.encryption import BOUND_TO, ENCRYPTED, KEY_ID
from domain.trust.seals import (
    OTHER_CALL,
    SEAL,
    SEALED_BY,
    SEALED_CALL,
    SEALED_FOR,
    SEALED_SINCE,
    WORKER,
    WORKFLOW,
    KeyRing,
    SealedAs,
    activity_purpose,
    answer_purpose,
    call_purpose,
)
from wire.calls import asked_as, is_asked_here
from wire.encrypted_payloads import PayloadCipher, UnreadablePayload, workflow_of

JUDGED = (SEALED_BY, SEALED_FOR, SEALED_SINCE, OTHER_CALL)
"""What only the reader says."""


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
        """Raises `UnreadablePayload`."""
        return [self._judged(payload) for payload in payloads]

    def _sealed(self, payload: Payload, workflow_id: str, purpose: str) -> Payload:
        seal = self._ring.seal(workflow_id, purpose, _form(payload), payload.data)
        payload.metadata[SEAL] = seal.encode()
        if call := self._call():
            payload.metadata[SEALED_CALL] = self._ring.seal(
                workflow_id, call_purpose(call), b"", seal.encode()
            ).encode()
        return payload

    def _call(self) -> str:
        """The one that is asked for here, or done: an answer repeats what was asked."""
        context = self._context
        if is_asked_here(context):
            return context.call
        done = isinstance(context, ActivitySerializationContext) and is_done_here(context)
        return asked_as.get() if done else ""

    def _judged(self, payload: Payload) -> Payload:
        found = self._found(payload)
        judged = _bare(self._decrypted(payload, found))
        judged.metadata[SEALED_BY] = found.by.encode()
        judged.metadata[SEALED_FOR] = found.purpose.encode()
        if found == SealedAs(WORKER, activity_purpose(_activity(self._context))):
            asked_as.set(self._named(payload))
        elif found.by and (call := self._call()) and self._named(payload) != call:
            judged.metadata[OTHER_CALL] = b"1"
        if self._ring.since is not None:
            judged.metadata[SEALED_SINCE] = self._ring.since.isoformat().encode()
        return judged

    def _decrypted(self, payload: Payload, found: SealedAs) -> Payload:
        try:
            return self._cipher.decrypted(payload, workflow_of(self._context))
        except UnreadablePayload:
            if found.by:
                raise
            return payload

    def _named(self, payload: Payload) -> str:
        """The call that a worker has sealed it for; empty for none."""
        where = _where(self._context)
        told = payload.metadata.get(SEALED_CALL, b"").decode("ascii", errors="replace")
        if where is None or not told:
            return ""
        named = self._ring.read(told, where[0], b"", payload.metadata.get(SEAL, b""))
        return named.purpose.removeprefix(call_purpose("")) if named.by == WORKER else ""

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
        purpose = answer_purpose if is_done_here(context) else activity_purpose
        return context.workflow_id, purpose(_activity(context))
    return None


def _activity(context: SerializationContext | None) -> str:
    return context.activity_type or "" if isinstance(context, ActivitySerializationContext) else ""


def _bare(payload: Payload) -> Payload:
    """A copy without anybody's word on who sealed it."""
    copy = Payload()
    copy.CopyFrom(payload)
    for name in (SEAL, SEALED_CALL, *JUDGED):
        copy.metadata.pop(name, None)
    return copy


def is_done_here(context: ActivitySerializationContext) -> bool:
    """By who does the activity; the SDK tells a workflow no number of the one that it asks for."""
    return context.activity_id is not None
