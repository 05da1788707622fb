"""Qimen's signature and its clock: MD5 over the query parameters and the exact body, local time of China."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_FORMAT = "%Y-%m-%d %H:%M:%S"


def sign(secret: str, params: Mapping[str, str], body: bytes) -> str:
    """UPPER(MD5(secret + parameters + body + secret)), the parameters as name and value, sorted, without `sign` itself.

    Source: docs/providers.md, vector 15.
    """
    named = "".join(name + params[name] for name in sorted(params) if name != "sign")
    # MD5 is the protocol's choice, not ours; it stands or falls with the secret and the transport's TLS.
    digest = hashlib.md5(usedforsecurity=False)
    digest.update((secret + named).encode("utf-8", "surrogatepass"))
    digest.update(body)
    digest.update(secret.encode())
    return digest.hexdigest().upper()


def verifies(secret: str, params: Mapping[str, str], body: bytes) -> bool:
    """Whether `params["sign"]` is ours, compared in constant time. Upper case only, as the protocol says."""
    told = params.get("sign", "").encode("utf-8", "surrogatepass")
    return hmac.compare_digest(told, sign(secret, params, body).encode())


def local_text(at: datetime) -> str:
    """A tz-aware moment as Qimen writes it: `2015-04-26 00:00:07`, Asia/Shanghai."""
    return at.astimezone(SHANGHAI).strftime(_FORMAT)


def moment(text: str) -> datetime:
    """Qimen's local time as tz-aware UTC. Raises ValueError for anything else, full-width digits included."""
    if not (len(text) == 19 and text.isascii()):
        raise ValueError("not a time like 2015-04-26 00:00:07")
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=SHANGHAI).astimezone(UTC)
    except OverflowError:
        raise ValueError("a time before the calendar's first day") from None
