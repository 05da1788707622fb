"""The converter of all clients: what is written is encrypted, then sealed; what is read goes through both back."""

from temporalio.converter import DataConverter

from domain.trust.encryption import PayloadKeys
from domain.trust.seals import KeyRing
from wire.bounded_failures import BoundedFailureConverter
from wire.encrypted_payloads import (
    DecryptedPayloadConverter,
    EncryptingCodec,
    HiddenFailureConverter,
    NothingElsewhere,
    PayloadCipher,
)
from wire.sealed_answers import SealedFailureConverter, SealedPayloadConverter
from wire.sealed_payloads import SealingCodec


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
    since = {"since": ring.since, "calls_since": ring.calls_since}
    return NothingElsewhere(
        payload_converter_class=type("SealedPayloads", (SealedPayloadConverter,), since),
        failure_converter_class=type("SealedFailures", (SealedFailureConverter,), {**since, "hides": cipher.writes}),
        payload_codec=SealingCodec(ring, cipher),
    )
