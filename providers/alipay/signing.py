"""RSA2 (SHA256withRSA, PKCS#1 v1.5, base64) over sorted parameters or raw text, and the two keys it needs.

Public-key mode only: the merchant holds its own private key and Alipay's public key (opendocs common/02km9f).
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

MAX_SIGNATURE = 1024
"""Characters; a signature by a key of 4096 bits has 684."""


class UnableToLoadKey(ValueError):
    """A configured key is not the kind of key that it should be. The text never holds key material."""


def signed_text(parameters: Mapping[str, str]) -> bytes:
    """`k=v` joined by `&`, sorted by name, values as they are: not URL-encoded."""
    return "&".join(f"{name}={value}" for name, value in sorted(parameters.items())).encode()


@dataclass(frozen=True)
class Signer:
    """The application's own key."""

    key: RSAPrivateKey

    @classmethod
    def load(cls, app_id: str, text: str) -> "Signer":
        """`text`: PEM, or bare base64 as Alipay's key tool writes it. Raises `UnableToLoadKey`."""
        try:
            key = load_pem_private_key(text.encode(), None) if _is_pem(text) else load_der_private_key(_der(text), None)
        except (ValueError, TypeError):
            raise UnableToLoadKey(
                f"the private key of app {app_id} is neither PEM nor base64, or is encrypted"
            ) from None
        if not isinstance(key, RSAPrivateKey):
            raise UnableToLoadKey(f"the private key of app {app_id} is not an RSA key")
        return cls(key)

    def sign(self, message: bytes) -> str:
        return b64encode(self.key.sign(message, PKCS1v15(), SHA256())).decode()


@dataclass(frozen=True)
class AlipayKey:
    """Alipay's public key (支付宝公钥, which is not the application's own public key)."""

    key: RSAPublicKey

    @classmethod
    def load(cls, app_id: str, text: str) -> "AlipayKey":
        """`text`: PEM, or bare base64 as Alipay's console shows it. Raises `UnableToLoadKey`."""
        try:
            key = load_pem_public_key(text.encode()) if _is_pem(text) else load_der_public_key(_der(text))
        except ValueError:
            raise UnableToLoadKey(f"Alipay's public key for app {app_id} is neither PEM nor base64") from None
        if not isinstance(key, RSAPublicKey):
            raise UnableToLoadKey(f"Alipay's public key for app {app_id} is not an RSA key")
        return cls(key)

    def fits(self, message: bytes, signature: str) -> bool:
        """Whether `signature` (base64) is Alipay's over exactly these bytes."""
        if len(signature) > MAX_SIGNATURE:
            return False
        try:
            self.key.verify(b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def _is_pem(text: str) -> bool:
    return "-----BEGIN" in text


def _der(text: str) -> bytes:
    return b64decode("".join(text.split()), validate=True)
