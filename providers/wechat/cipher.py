"""AEAD_AES_256_GCM of callbacks and certificates (merchant docs 4013053420)."""

from base64 import b64decode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class UnableToDecrypt(ValueError):
    """Not encrypted with our APIv3 key, or not encrypted as documented."""


def decrypt(key: bytes, *, nonce: str, associated_data: str, ciphertext: str) -> bytes:
    """Plain bytes of `ciphertext` = base64(cipher ‖ 16-byte tag). `associated_data` may be empty.

    The key has 32 bytes in production; published vectors also use 16, so the length is left to the cipher.
    """
    try:
        sealed = b64decode(ciphertext, validate=True)
        return AESGCM(key).decrypt(nonce.encode(), sealed, associated_data.encode())
    except InvalidTag:
        raise UnableToDecrypt("the resource was not encrypted with this APIv3 key") from None
    except (ValueError, OverflowError):
        raise UnableToDecrypt("the encrypted resource is not well formed") from None
