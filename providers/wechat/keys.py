"""WeChat Pay's own keys by serial, and the check that bytes come from it (merchant docs 4013053420).

Public-key mode: fixed keys named `PUB_KEY_ID_…`. Certificate mode: downloaded, named by 40 hex digits. While a
merchant switches, both are in use for about a week, so both live in one map.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from providers.wechat.signing import UnableToLoadKey

MAX_SKEW_S = 300
"""A difference of this many seconds or more is refused, in both directions."""
REFRESH_AFTER_S = 11 * 3600
"""WeChat asks for certificates to be fetched anew at least every 12 hours."""

_LIMITS = {
    "wechatpay-timestamp": 16,
    "wechatpay-nonce": 128,
    "wechatpay-signature": 1024,
    "wechatpay-serial": 80,
}
_DIGITS = re.compile(r"[0-9]{1,11}", re.ASCII)


class NotVerified(Exception):
    """Not provably from WeChat Pay. `reason` is one word: missing_header, header_too_long, malformed_header, stale,
    unknown_key or signature."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


class PlatformKeys:
    """Serial → public key. Downloaded certificates replace the former download, so retired ones stop being believed."""

    def __init__(self, fixed: Mapping[str, str]) -> None:
        """`fixed`: serial → PEM public key or certificate. Raises `UnableToLoadKey`."""
        self._fixed = {serial: _load(serial, pem) for serial, pem in fixed.items()}
        self._downloaded: dict[str, tuple[RSAPublicKey, datetime]] = {}
        self._downloaded_at: datetime | None = None

    @property
    def public_key_id(self) -> str | None:
        """The `PUB_KEY_ID_…` with which replies should be signed, if there is one."""
        return next((s for s in self._fixed if s.startswith("PUB_KEY_ID_")), None)

    def replace_downloaded(self, certificates: Mapping[str, str], now: datetime) -> None:
        """`certificates`: serial → PEM certificate, decrypted. Raises `UnableToLoadKey` and then changes nothing."""
        self._downloaded = {serial: _load_certificate(serial, pem) for serial, pem in certificates.items()}
        self._downloaded_at = now

    def due(self, now: datetime) -> bool:
        """Certificates were never fetched, or too long ago."""
        return self._downloaded_at is None or (now - self._downloaded_at).total_seconds() >= REFRESH_AFTER_S

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check the four Wechatpay-* headers (lower-case names) against the raw body. Raises `NotVerified`."""
        timestamp, nonce, signature, serial = (_header(headers, name) for name in _LIMITS)
        if not _DIGITS.fullmatch(timestamp):
            raise NotVerified("malformed_header", "Wechatpay-Timestamp is not a number of seconds")
        if abs(now.timestamp() - int(timestamp)) >= MAX_SKEW_S:
            raise NotVerified("stale", f"Wechatpay-Timestamp is {MAX_SKEW_S} s or more away from our clock")
        key = self._find(serial, now)
        if key is None:
            raise NotVerified("unknown_key", "Wechatpay-Serial names no key that we hold")
        try:
            raw = b64decode(signature, validate=True)
            key.verify(raw, b"\n".join((timestamp.encode(), nonce.encode(), body, b"")), PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            raise NotVerified("signature", "Wechatpay-Signature does not fit the body") from None

    def _find(self, serial: str, now: datetime) -> RSAPublicKey | None:
        if serial in self._fixed:
            return self._fixed[serial]
        key, expires = self._downloaded.get(serial, (None, now))
        return key if expires > now else None


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise NotVerified("missing_header", f"{name} is missing")
    if len(value) > _LIMITS[name]:
        raise NotVerified("header_too_long", f"{name} is longer than {_LIMITS[name]} characters")
    if not (value.isascii() and value.isprintable()):
        raise NotVerified("malformed_header", f"{name} is not plain ASCII")
    return value


def _load(serial: str, pem: str) -> RSAPublicKey:
    if "BEGIN CERTIFICATE" in pem:
        return _load_certificate(serial, pem)[0]
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        raise UnableToLoadKey(f"platform key {serial} is not a PEM public key") from None
    if not isinstance(key, RSAPublicKey):
        raise UnableToLoadKey(f"platform key {serial} is not an RSA key")
    return key


def _load_certificate(serial: str, pem: str) -> tuple[RSAPublicKey, datetime]:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise UnableToLoadKey(f"platform certificate {serial} is not a PEM certificate") from None
    if f"{certificate.serial_number:040X}" != serial.upper().zfill(40):
        raise UnableToLoadKey(f"platform certificate {serial} carries another serial number")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise UnableToLoadKey(f"platform certificate {serial} holds no RSA key")
    return key, certificate.not_valid_after_utc
