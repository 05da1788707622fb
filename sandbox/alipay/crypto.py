"""Both ends of RSA2, written for the sandbox alone so that it can disagree with our client."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.alipay import request_checks as ask
from sandbox.alipay.state import Denied
from sandbox.core import Settings

SKEW_S = 600
"""Stricter than documented, so that a caller on UTC instead of Beijing time is found out."""


class Crypto:
    """Knows the application's public key and holds Alipay's own private key."""

    def __init__(self, settings: Settings) -> None:
        self.app_id, self.seller_id = settings.need("APP_ID"), settings.need("SELLER_ID")
        self._clock = settings.clock
        app = serialization.load_pem_public_key(_pem(settings.need("MERCHANT_PUBLIC_KEY")))
        own = serialization.load_pem_private_key(_pem(settings.need("PLATFORM_PRIVATE_KEY")), None)
        assert isinstance(app, rsa.RSAPublicKey)
        assert isinstance(own, rsa.RSAPrivateKey)
        self._app, self._own = app, own

    def check(self, given: Mapping[str, str]) -> None:
        """The common parameters and the signature over all of them. Raises `Denied`."""
        fixed = {"charset": "utf-8", "sign_type": "RSA2", "version": "1.0"}
        for name in ("app_id", "method", "sign", "timestamp", "biz_content", *fixed):
            if not given.get(name):
                raise Denied("40001", f"isv.missing-{name.replace('_', '-')}", f"missing: {name}")
        if given["app_id"] != self.app_id:
            raise Denied("40002", "isv.invalid-app-id", "no such application")
        for name, value in (*fixed.items(), ("format", "JSON")):
            if given.get(name, value).upper() != value.upper():
                raise Denied("40002", f"isv.invalid-{name.replace('_', '-')}", f"not served here: {name}")
        parts = [f"{name}={given[name]}" for name in sorted(given) if name != "sign" and given[name] != ""]
        try:
            signature = base64.b64decode(given["sign"], validate=True)
            self._app.verify(signature, "&".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            raise Denied("40002", "isv.invalid-signature", "the signature does not fit the request") from None
        try:
            off_s = abs((self._clock() - ask.beijing(given["timestamp"], "timestamp")).total_seconds())
        except Denied:
            off_s = SKEW_S + 1.0
        if off_s > SKEW_S:
            raise Denied("40002", "isv.invalid-timestamp", "timestamp is not Beijing time, or far off")

    def sign(self, text: str) -> str:
        return base64.b64encode(self._own.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()

    def reply(self, method: str, value: Mapping[str, Any], *, signed: bool) -> bytes:
        """The envelope; slashes are escaped, as only the raw text can tell."""
        inner = escaped(value)
        outer = f'{{"{method.replace(".", "_")}_response":{inner}'
        if signed:
            outer += f',"sign":"{self.sign(inner)}"'
        return (outer + "}").encode()

    def form(self, fields: Mapping[str, str], *, forged: bool = False) -> bytes:
        """A notification's body, signed without sign_type."""
        text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
        sent = {**fields, "sign_type": "RSA2", "sign": self.sign("something else" if forged else text)}
        return "&".join(f"{name}={quote_plus(value)}" for name, value in sent.items()).encode()


def escaped(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")


def _pem(text: str) -> bytes:
    return text.replace("\\n", "\n").encode()
