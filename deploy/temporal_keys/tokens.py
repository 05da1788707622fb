"""Tokens that say which process calls: ES256, as Temporal's server reads them."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm

from deploy.local.private_files import write_private
from deploy.temporal_keys.certificates import private_pem

ISSUER = "orders-services"
AUDIENCE = "orders-temporal"


class TokenSigner:
    """Its key is made once and stays in `file`; the server has the public half (`key_set`)."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            write_private(file, private_pem(ec.generate_private_key(ec.SECP256R1())))
        key = load_pem_private_key(file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        public: Mapping[str, Any] = json.loads(ECAlgorithm.to_jwk(key.public_key()))
        told = json.dumps({name: public[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        self._id = hashlib.sha256(told.encode()).hexdigest()[:16]
        self.key_set = json.dumps({"keys": [{**public, "kid": self._id, "alg": "ES256", "use": "sig"}]})

    def token(self, subject: str, permission: str, lives: timedelta) -> str:
        """`permission`: `namespace:role`."""
        now = datetime.now(UTC)
        said = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + lives, "permissions": [permission],
        }  # fmt: skip
        return jwt.encode(said, self._key, algorithm="ES256", headers={"kid": self._id})
