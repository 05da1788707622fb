"""The number of a session: in a cookie that no script reads; in the books only its hash, and things sealed under it."""

import hashlib
import secrets
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.requests import Request
from starlette.responses import Response

PLAIN_NAME = "oms-console"
NONCE_BYTES = 12
NUMBER_BYTES = 32
LONGEST = 100


class SessionCookie:
    """`url`: of the console; over https the cookie is bound to this host, to https and to the whole of it."""

    def __init__(self, url: str) -> None:
        self._https = urlsplit(url).scheme == "https"
        self.name = f"__Host-{PLAIN_NAME}" if self._https else PLAIN_NAME

    def of(self, request: Request) -> str | None:
        number = request.cookies.get(self.name, "")
        return number if 0 < len(number) <= LONGEST and number.isascii() else None

    def give(self, answer: Response, number: str) -> None:
        """Until the browser is closed at most; how long it counts is up to the books. Lax, so that who comes back from
        an identity provider is known on arrival: everything that changes something asks for more than the cookie."""
        answer.set_cookie(self.name, number, httponly=True, samesite="lax", secure=self._https, path="/")

    def take(self, answer: Response) -> None:
        answer.delete_cookie(self.name, httponly=True, samesite="lax", secure=self._https, path="/")


def new_number() -> str:
    return secrets.token_urlsafe(NUMBER_BYTES)


def hash_of(number: str) -> bytes:
    return hashlib.sha256(number.encode()).digest()


def sealed(number: str, credential: str) -> bytes:
    """What only this session's cookie opens."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(number).encrypt(nonce, credential.encode(), hash_of(number))


def opened(number: str, credential: bytes) -> str | None:
    try:
        return _cipher(number).decrypt(credential[:NONCE_BYTES], credential[NONCE_BYTES:], hash_of(number)).decode()
    except (InvalidTag, ValueError):
        return None


def _cipher(number: str) -> AESGCM:
    return AESGCM(hashlib.sha256(b"credential of a console session" + number.encode()).digest())
