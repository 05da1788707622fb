"""Events as the carrier system sends them: JSON, signed by Standard Webhooks `v1` with every configured secret."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sandbox.core import Delivery

SCHEDULE_S = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
_FOREIGN = base64.b64encode(b"a secret of somebody else").decode()


def render(delivery: Delivery, secrets: Sequence[str], now: datetime) -> tuple[Mapping[str, str], bytes]:
    body = json.dumps(delivery.payload, ensure_ascii=False).encode()
    if delivery.fault == "bad_signature" and delivery.attempt == 0:
        secrets = [f"whsec_{_FOREIGN}"]
    headers = signed_headers(f"msg_{delivery.id}", body, secrets, now)
    return {"content-type": "application/json", **headers}, body


def signed_headers(message_id: str, body: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    seconds = str(int(now.timestamp()))
    signed = f"{message_id}.{seconds}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
