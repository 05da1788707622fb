"""The text of an API token makes a signing key: who has it proves commands; the books need its public half only."""

import hashlib
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.access.api_tokens import TEXT
from providers.tokens.issue import SigningKey
from providers.tokens.keys import PublicKey

SECRET_BYTES = 32
_MEANT_FOR = b"signing key of an api token"


def new_text() -> str:
    return f"oms_{secrets.token_hex(8)}_{secrets.token_urlsafe(SECRET_BYTES)}"


def key_of(text: str) -> SigningKey | None:
    """None: this is no token. Its number is the key's id."""
    found = TEXT.fullmatch(text)
    if found is None:
        return None
    seed = hashlib.sha256(_MEANT_FOR + text.encode()).digest()
    return SigningKey(found.group(1), Ed25519PrivateKey.from_private_bytes(seed))


def public_half(key: SigningKey) -> bytes:
    return key.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def believed(public: bytes) -> PublicKey:
    return PublicKey("EdDSA", Ed25519PublicKey.from_public_bytes(public))
