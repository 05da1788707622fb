"""Secrets of the local stack, made once at its first start and kept in one private file. Never used anywhere else."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.local.private_files import write_private
from providers.tokens.issue import new_key


@dataclass(frozen=True)
class Generated:
    """Both sides' values: what we use, and what the sandboxes of the same name must know. Keys are PEM text."""

    merchant_private_key: str
    merchant_public_key: str
    merchant_serial: str
    platform_private_key: str
    platform_public_key: str
    platform_serial: str
    apiv3_key: str
    qimen_secret: str
    tms_token: str
    tms_webhook_secret: str
    kuaidi100_key: str
    kuaidi100_salt: str
    alipay_app_private_key: str
    alipay_app_public_key: str
    alipay_platform_private_key: str
    alipay_platform_public_key: str
    sf_check_word: str
    sf_push_key: str
    audit_anchor_key: str
    token_private_key: str
    relay_seal_key: str
    worker_seal_key: str
    payload_key: str
    shop_private_key: str
    messenger_secret: str
    sms_secret: str

    def __repr__(self) -> str:
        return "Generated(…)"


def generated(path: Path) -> Generated:
    """The secrets in `path`; what it lacks is made. One that holds others, too, is of another version: all anew."""
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    names = {field.name for field in fields(Generated)}
    if set(kept) == names:
        return Generated(**kept)
    made = _generate()
    if set(kept) <= names:
        made = replace(made, **kept)
    write_private(path, json.dumps(asdict(made), indent=1))
    return made


def _generate() -> Generated:
    merchant, platform = _key_pair(), _key_pair()
    alipay_app, alipay_platform = _key_pair(), _key_pair()
    return Generated(
        merchant_private_key=merchant[0],
        merchant_public_key=merchant[1],
        merchant_serial=secrets.token_hex(20).upper(),
        platform_private_key=platform[0],
        platform_public_key=platform[1],
        platform_serial=f"PUB_KEY_ID_{secrets.randbelow(10**22):022d}",
        apiv3_key=secrets.token_hex(16),
        qimen_secret=secrets.token_hex(16),
        tms_token=secrets.token_urlsafe(24),
        tms_webhook_secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        kuaidi100_key=secrets.token_hex(8),
        kuaidi100_salt=secrets.token_hex(8),
        alipay_app_private_key=alipay_app[0],
        alipay_app_public_key=alipay_app[1],
        alipay_platform_private_key=alipay_platform[0],
        alipay_platform_public_key=alipay_platform[1],
        sf_check_word=secrets.token_hex(16),
        sf_push_key=secrets.token_urlsafe(24),
        audit_anchor_key=secrets.token_urlsafe(32),
        token_private_key=new_key(),
        relay_seal_key=_key_of("relay"),
        worker_seal_key=_key_of("worker"),
        payload_key=_key_of("local"),
        shop_private_key=new_key(),
        messenger_secret=secrets.token_urlsafe(24),
        sms_secret=secrets.token_urlsafe(24),
    )


def _key_of(role: str) -> str:
    return f"{role}.1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
