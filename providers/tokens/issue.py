"""The local issuer: for installations without an identity provider. Ed25519, minutes of life, bound to one approval or
one command. A service signs its own proofs the same way."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.access.authority import Binding
from providers.tokens.errors import UnusableKeys

LIFE = timedelta(minutes=5)


@dataclass(frozen=True, repr=False)
class SigningKey:
    """`key_id` is the thumbprint of the public key (RFC 7638), so that nobody has to give names to keys."""

    key_id: str
    private: Ed25519PrivateKey


def new_key() -> str:
    """A new private key, PEM text."""
    made = Ed25519PrivateKey.generate()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.private_bytes(*form).decode()


def read_key(pem: str) -> SigningKey:
    """Raises `UnusableKeys` unless it is an Ed25519 private key without a pass phrase."""
    try:
        private = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        raise UnusableKeys("the signing key is no PEM private key without a pass phrase") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise UnusableKeys("the signing key is no Ed25519 key; make one with `oms token keygen`")
    return SigningKey(_thumbprint(_public_jwk(private)), private)


def key_set(*keys: SigningKey) -> dict[str, Any]:
    """The public halves as a JWK set, for the verifier."""
    return {"keys": [{**_public_jwk(k.private), "kid": k.key_id, "alg": "EdDSA", "use": "sig"} for k in keys]}


def issue(
    key: SigningKey,
    person_id: str,
    approval_id: str,
    content_hash: str,
    *,
    token_id: str,
    issuer: str,
    audience: str,
    now: datetime,
    life: timedelta = LIFE,
) -> str:
    """A token with which `person_id` may decide this approval of this content, once, within `life`."""
    made_for = {"approval_id": approval_id, "content_hash": content_hash}
    return _signed(key, person_id, made_for, token_id, issuer, audience, now, life)


def issue_proof(
    key: SigningKey,
    caller: str,
    binding: Binding,
    *,
    token_id: str,
    issuer: str,
    audience: str,
    now: datetime,
    life: timedelta = LIFE,
    on_behalf_of: str | None = None,
) -> str:
    """A token with which `caller` may give this command, once, within `life`. `on_behalf_of`: whom a service, which is
    its own issuer, speaks for."""
    made_for = {**asdict(binding), **({"on_behalf_of": on_behalf_of} if on_behalf_of else {})}
    return _signed(key, caller, made_for, token_id, issuer, audience, now, life)


def _signed(
    key: SigningKey, sub: str, made_for: Mapping[str, str], jti: str, iss: str, aud: str, now: datetime, life: timedelta
) -> str:
    begin, end = int(now.timestamp()), int((now + life).timestamp())
    claims = {"iss": iss, "aud": aud, "sub": sub, "jti": jti, "iat": begin, "exp": end, **made_for}
    return jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": key.key_id})


def _public_jwk(private: Ed25519PrivateKey) -> dict[str, str]:
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}


def _thumbprint(jwk: Mapping[str, str]) -> str:
    text = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(text.encode()).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
