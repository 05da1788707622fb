"""Encryption of what goes through Temporal: its histories, its database and its Web UI have ciphertext where names,
phones and addresses would stand (decision 0038).

AES-256-GCM in the layout of Temporal's public samples, so that a codec in another language reads and writes the same:
docs/contract/encryption.md. What is in clear is read as it is.
"""

import os
from collections.abc import Sequence
from functools import cache
from itertools import zip_longest
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from domain.trust.encryption import (
    BOUND_TO,
    ENCRYPTED,
    HIDDEN,
    KEY_ID,
    NONCE_BYTES,
    TAG_BYTES,
    PayloadKeys,
    associated,
    unreadable,
)
from wire.bounded_failures import BoundedFailureConverter


class UnreadablePayload(ValueError):
    """The payload is encrypted with a key that is not here, is not whole, or is another workflow's."""


CONTEXTS = 200
"""How many a converter keeps: more than one message has."""


@cache
def _encodings() -> PydanticPayloadConverter:
    """Made once a process. The SDK makes a payload converter for each workflow and context, and each has a compiled
    serializer and a cache of types of its own."""
    return PydanticPayloadConverter()


class PayloadCipher:
    """Encrypts with its own key, if it has one, and reads with all it has."""

    def __init__(self, keys: PayloadKeys | None) -> None:
        self._own = keys.own if keys else None
        self._by_id = {key_id: AESGCM(key) for key_id, key in keys.keys.items()} if keys else {}

    @property
    def writes(self) -> bool:
        """False: what it is given to encrypt stays in clear."""
        return self._own is not None

    def encrypted(self, payload: Payload, workflow_id: str | None) -> Payload:
        if self._own is None:
            return payload
        # By chance: two of 2**32 payloads of one key have the same with a probability of 2**-33 (NIST SP 800-38D).
        nonce = os.urandom(NONCE_BYTES)
        plain = payload.SerializeToString()
        data = nonce + self._by_id[self._own].encrypt(nonce, plain, associated(self._own, workflow_id))
        made = Payload(metadata={"encoding": ENCRYPTED, KEY_ID: self._own.encode()}, data=data)
        if workflow_id is not None:
            made.metadata[BOUND_TO] = workflow_id.encode()
        return made

    def decrypted(self, payload: Payload, workflow_id: str | None) -> Payload:
        """What is not encrypted as it is. `workflow_id`: where it was found, None where nobody knows. Raises
        `UnreadablePayload`."""
        if not is_encrypted(payload):
            return payload
        named = payload.metadata.get(KEY_ID, b"")
        bound = payload.metadata.get(BOUND_TO)
        cipher = self._by_id.get(named.decode("ascii", errors="replace"))
        fits = workflow_id is None or bound is None or bound == workflow_id.encode()
        if cipher is None or not fits or len(payload.data) < NONCE_BYTES + TAG_BYTES:
            raise UnreadablePayload(f"it {unreadable(named)}")
        nonce, data = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            said = None if bound is None else associated(named.decode("ascii"), bound.decode())
            return Payload.FromString(cipher.decrypt(nonce, data, said))
        except (InvalidTag, DecodeError, UnicodeDecodeError):
            raise UnreadablePayload(f"it {unreadable(named)}") from None


class EncryptingCodec(PayloadCodec, WithSerializationContext):
    """For clients without seals. What cannot be decrypted stays as it is: whoever takes it as a message refuses it."""

    def __init__(self, cipher: PayloadCipher, context: SerializationContext | None = None) -> None:
        self._cipher = cipher
        self._context = context

    def with_context(self, context: SerializationContext) -> Self:
        return type(self)(self._cipher, context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        workflow_id = workflow_of(self._context)
        return [self._cipher.encrypted(payload, workflow_id) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decrypted(payload) for payload in payloads]

    def _decrypted(self, payload: Payload) -> Payload:
        try:
            return self._cipher.decrypted(payload, workflow_of(self._context))
        except UnreadablePayload:
            return payload


class NothingElsewhere(DataConverter):
    """We keep no message in an external storage. One that says it lies there is taken as it is, and refused like
    anything that cannot be read; else the SDK raises before any handler sees it, and a stranger has stopped the
    workflow's task for ever."""

    _of_contexts: dict[SerializationContext, Self]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_of_contexts", {})

    def with_context(self, context: SerializationContext) -> Self:
        """The SDK asks for each payload of a message, three times over, and makes all converters anew each time: the
        same context gets the same one."""
        found = self._of_contexts.get(context)
        if found is None:
            if len(self._of_contexts) >= CONTEXTS:
                self._of_contexts.clear()
            found = self._of_contexts[context] = super().with_context(context)
        return found

    async def _decode_reference_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def _external_retrieve_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def _transform_inbound_payload(self, payload: Payload) -> Payload:
        return (await self._decode_payload_sequence([payload]))[0]

    async def _transform_inbound_payloads(self, payloads: Payloads) -> None:
        if self.payload_codec:
            await self.payload_codec.decode_wrapper(payloads)


class DecryptedPayloadConverter(PydanticPayloadConverter):
    """Says of what is still encrypted why it cannot be read. Taken raw it is handed over: a signal or a start must not
    stop the workflow's task."""

    def __init__(self) -> None:
        vars(self).update(vars(_encodings()))

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Raises `UnreadablePayload`, and what the converters raise."""
        for payload, hint in zip_longest(payloads, (type_hints or ())[: len(payloads)]):
            if is_encrypted(payload) and hint is not RawValue:
                raise UnreadablePayload(f"the message {unreadable(payload.metadata.get(KEY_ID, b''))}")
        return super().from_payloads(payloads, type_hints)


class HiddenFailureConverter(BoundedFailureConverter):
    """A failure's message and stack trace may name people: they go along in a payload. Its type stays readable."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        hide(failure, payload_converter)


def hide(failure: Failure, payload_converter: PayloadConverter) -> None:
    """Its causes as well: one that came from elsewhere may have come in clear."""
    if not (failure.message == HIDDEN and failure.HasField("encoded_attributes")):
        failure.encoded_attributes.CopyFrom(payload_converter.to_payloads([said(failure)])[0])
        failure.message, failure.stack_trace = HIDDEN, ""
    if failure.HasField("cause"):
        hide(failure.cause, payload_converter)


def said(failure: Failure) -> dict[str, str]:
    """The words of a failure, as its payload tells them."""
    kind = failure.application_failure_info.type
    return {"message": failure.message, "stack_trace": failure.stack_trace, "type": kind}


def is_encrypted(payload: Payload) -> bool:
    return bool(payload.metadata.get("encoding") == ENCRYPTED)


def workflow_of(context: SerializationContext | None) -> str | None:
    """The workflow that a message is of, as far as the SDK says."""
    if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
        return context.workflow_id or None
    return None
