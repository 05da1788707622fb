"""Both ends of API v3's cryptography, written for the sandbox alone so that it can disagree with our client."""

import base64
import datetime as dt
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from sandbox.core import Settings

SKEW_S = 300
CERTIFICATE_DAYS = 1825
CHINA = dt.timezone(dt.timedelta(hours=8))

_FIELD = re.compile(r'(\w+)="([^"]*)"')


class BadSignature(Exception):
    """The request is not the merchant's, or not fresh."""


class Crypto:
    """Knows the merchant's public key and holds WeChat Pay's own private key.

    One RSA key serves as platform public key (`PLATFORM_SERIAL`, `PUB_KEY_ID_…`) and as platform certificate.
    """

    def __init__(self, settings: Settings) -> None:
        self.mchid = settings.need("MCHID")
        self.appid = settings.need("APPID")
        self._clock = settings.clock
        self._merchant_serial = settings.need("MERCHANT_SERIAL")
        merchant = serialization.load_pem_public_key(_pem(settings.need("MERCHANT_PUBLIC_KEY")))
        platform = serialization.load_pem_private_key(_pem(settings.need("PLATFORM_PRIVATE_KEY")), None)
        assert isinstance(merchant, rsa.RSAPublicKey)
        assert isinstance(platform, rsa.RSAPrivateKey)
        self._merchant, self._platform = merchant, platform
        self._apiv3_key = settings.need("APIV3_KEY").encode()
        self.certificate = _certificate(platform, self._clock())
        self.certificate_serial = f"{self.certificate.serial_number:040X}"
        self.serial = settings.get("PLATFORM_SERIAL", self.certificate_serial)

    def check(self, method: str, target: str, body: bytes, authorization: str) -> None:
        """The merchant's Authorization header over this very request. Raises `BadSignature`."""
        scheme, _, rest = authorization.partition(" ")
        fields = dict(_FIELD.findall(rest))
        wanted = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
        if scheme != "WECHATPAY2-SHA256-RSA2048" or set(fields) != wanted:
            raise BadSignature("Authorization is not WECHATPAY2-SHA256-RSA2048 with its five fields")
        if fields["mchid"] != self.mchid or fields["serial_no"].upper() != self._merchant_serial.upper():
            raise BadSignature("no such merchant certificate")
        stamp = fields["timestamp"]
        if not stamp.isdecimal() or abs(int(stamp) - self._clock().timestamp()) > SKEW_S:
            raise BadSignature("timestamp is more than five minutes off")
        signed = f"{method}\n{target}\n{stamp}\n{fields['nonce_str']}\n".encode() + body + b"\n"
        try:
            signature = base64.b64decode(fields["signature"], validate=True)
            self._merchant.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            raise BadSignature("the signature does not fit the request") from None

    def sign(self, body: bytes, *, asked_serial: str = "") -> dict[str, str]:
        """The four Wechatpay-* headers of a reply or callback."""
        stamp, nonce = str(int(self._clock().timestamp())), secrets.token_hex(16)
        signed = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        raw = self._platform.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": base64.b64encode(raw).decode(),
            "Wechatpay-Serial": self.serial if asked_serial in ("", self.serial) else self.certificate_serial,
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }

    def encrypt(self, plain: bytes, associated_data: str) -> dict[str, str]:
        nonce = secrets.token_hex(6)
        sealed = AESGCM(self._apiv3_key).encrypt(nonce.encode(), plain, associated_data.encode())
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": associated_data,
            "ciphertext": base64.b64encode(sealed).decode(),
        }

    def certificates(self) -> dict[str, Any]:
        """Body of GET /v3/certificates."""
        pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        item = {
            "serial_no": self.certificate_serial,
            "effective_time": self.certificate.not_valid_before_utc.astimezone(CHINA).isoformat(),
            "expire_time": self.certificate.not_valid_after_utc.astimezone(CHINA).isoformat(),
            "encrypt_certificate": self.encrypt(pem, "certificate"),
        }
        return {"data": [item]}


def notice(seal: Crypto, payload: Mapping[str, Any], callback_id: str) -> bytes:
    """A callback's body. `payload`: event_type, create_time, summary, original_type, resource (plain)."""
    kind = str(payload["original_type"])
    plain = json.dumps(payload["resource"], ensure_ascii=False).encode()
    body = {
        "id": callback_id,
        "create_time": payload["create_time"],
        "resource_type": "encrypt-resource",
        "event_type": payload["event_type"],
        "summary": payload["summary"],
        "resource": {"original_type": kind, **seal.encrypt(plain, kind)},
    }
    return json.dumps(body, ensure_ascii=False).encode()


def _pem(text: str) -> bytes:
    return text.replace("\\n", "\n").encode()


def _certificate(key: rsa.RSAPrivateKey, now: dt.datetime) -> x509.Certificate:
    """Self-signed; the serial comes from the key, so that it stays the same over restarts."""
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sandbox payment platform")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(public).digest()[:19], "big") | 1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
