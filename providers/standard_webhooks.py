"""Standard Webhooks 1.0.0: sign what we send, verify what we receive (docs/providers.md, Standard Webhooks).

    hook = Webhook(["whsec_new…", "whsec_old…"])
    headers = hook.sign("msg_1", now, body)
    verified = hook.verify(request.headers, request.body, now)

Schemes: `v1` is HMAC-SHA256 under a `whsec_` secret; `v1a` is ed25519, made with `whsk_`, checked with `whsk_` or
`whpk_`. Give several secrets while one replaces another: signing uses all of them, verifying accepts any.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TOLERANCE_S = 300
"""How far the sender's clock may be from ours, in either direction."""
MAX_SIGNATURES = 20
"""A sender in the middle of a rotation has two or three; more than this is an attempt to make us work."""

# No dot: the dot separates id, timestamp and body in the signed text.
_ID = re.compile(r"[A-Za-z0-9_:\-]{1,128}")
_SECONDS = re.compile(r"[0-9]{1,12}")


class BadWebhookSecret(ValueError):
    """A configured secret is not usable. The text never repeats it."""


class WebhookRefused(Exception):
    """A message that must not be believed. `reason` is one word for counting."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True)
class VerifiedWebhook:
    """`message_id` stays the same when a message is sent again; `sent_at_s` is the time of this attempt, in seconds."""

    message_id: str
    sent_at_s: int


class Webhook:
    """Raises `BadWebhookSecret` when a secret is malformed or none is given."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise BadWebhookSecret("no webhook secret is configured")
        self._keys = [_key(secret) for secret in secrets]

    def sign(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The three headers for `body`, the exact bytes that will be sent. `at`: tz-aware time of this attempt."""
        if not _ID.fullmatch(message_id) or at.tzinfo is None:
            raise ValueError(f"unable to sign message {message_id!r}: bad id, or a time without zone")
        seconds = str(int(at.timestamp()))
        text = _signed_text(message_id, seconds, body)
        signatures = [f"{key.version},{_b64(made)}" for key in self._keys if (made := key.sign(text)) is not None]
        if not signatures:
            raise BadWebhookSecret("only public keys are configured, and a public key cannot sign")
        return {
            "webhook-id": message_id,
            "webhook-timestamp": seconds,
            "webhook-signature": " ".join(signatures),
        }

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> VerifiedWebhook:
        """Header names lower case, `body` untouched. Raises `WebhookRefused`, never anything else, whatever comes."""
        message_id, seconds, signatures = (headers.get(f"webhook-{n}", "") for n in ("id", "timestamp", "signature"))
        if not (message_id and seconds and signatures):
            raise WebhookRefused("headers", "a webhook header is missing")
        if not _ID.fullmatch(message_id):
            raise WebhookRefused("id", "webhook-id is not an id of letters, digits, _, : and -")
        if not _SECONDS.fullmatch(seconds):
            raise WebhookRefused("timestamp", "webhook-timestamp is not a whole number of seconds")
        if abs(now.timestamp() - int(seconds)) > TOLERANCE_S:
            raise WebhookRefused("timestamp", f"webhook-timestamp is more than {TOLERANCE_S} s away from our clock")
        if not self._any_fits(_signed_text(message_id, seconds, body), _read_signatures(signatures)):
            raise WebhookRefused("signature", "no signature of the message fits a configured secret")
        return VerifiedWebhook(message_id, int(seconds))

    def _any_fits(self, text: bytes, signatures: list[tuple[str, bytes]]) -> bool:
        fits = False
        for key in self._keys:
            for version, signature in signatures:
                # No early way out: the time taken tells nothing about which secret came close.
                fits |= version == key.version and key.fits(text, signature)
        return fits


class _Key(Protocol):
    version: str

    def sign(self, text: bytes) -> bytes | None: ...

    def fits(self, text: bytes, signature: bytes) -> bool: ...


class _Hmac:
    version = "v1"

    def __init__(self, secret: bytes) -> None:
        if not 24 <= len(secret) <= 64:
            raise BadWebhookSecret("a whsec_ secret holds 24 to 64 bytes")
        self._secret = secret

    def sign(self, text: bytes) -> bytes:
        return hmac.new(self._secret, text, hashlib.sha256).digest()

    def fits(self, text: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(text), signature)


class _Ed25519:
    version = "v1a"

    def __init__(self, public: Ed25519PublicKey, private: Ed25519PrivateKey | None = None) -> None:
        self._public = public
        self._private = private

    def sign(self, text: bytes) -> bytes | None:
        return self._private.sign(text) if self._private else None

    def fits(self, text: bytes, signature: bytes) -> bool:
        try:
            self._public.verify(signature, text)
        except InvalidSignature:
            return False
        return True


def _key(secret: str) -> _Key:
    prefix, _, encoded = secret.partition("_")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise BadWebhookSecret("a webhook secret is not base64 after its prefix") from None
    if prefix == "whsec":
        return _Hmac(raw)
    if prefix == "whpk" and len(raw) == 32:
        return _Ed25519(Ed25519PublicKey.from_public_bytes(raw))
    if prefix == "whsk" and len(raw) == 64:
        private = Ed25519PrivateKey.from_private_bytes(raw[:32])
        if private.public_key().public_bytes_raw() != raw[32:]:
            raise BadWebhookSecret("the two halves of a whsk_ key do not belong together")
        return _Ed25519(private.public_key(), private)
    raise BadWebhookSecret("a webhook secret is whsec_ (24 to 64 bytes), whsk_ (64 bytes) or whpk_ (32 bytes)")


def _read_signatures(header: str) -> list[tuple[str, bytes]]:
    """The well-formed `version,base64` pairs; other schemes and broken ones are left out, as the standard asks."""
    parts = header.split(" ", MAX_SIGNATURES)
    if len(parts) > MAX_SIGNATURES:
        raise WebhookRefused("signature", f"more than {MAX_SIGNATURES} signatures in one message")
    pairs = []
    for part in parts:
        version, comma, encoded = part.partition(",")
        if not comma or len(encoded) > 128:
            continue
        try:
            pairs.append((version, base64.b64decode(encoded, validate=True)))
        except ValueError:
            continue
    return pairs


def _signed_text(message_id: str, seconds: str, body: bytes) -> bytes:
    return f"{message_id}.{seconds}.".encode() + body


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
