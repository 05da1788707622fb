"""SF's one door: every service is a signed form to `/std/service`, answered on two levels (docs/providers.md)."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
from pydantic import BaseModel, ConfigDict

from domain.clock import Clock
from domain.order import Address
from domain.strict import UnableToRead, load, parse
from providers.errors import Refused, Unavailable, UnknownOutcome
from providers.http import DEADLINE_S, Faults, raise_for_outage, send
from providers.sf import codes
from providers.tracking import one_line

SYSTEM = "sf"
_PATH = "/std/service"
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"
_CODE = re.compile(r"[A-Za-z]?[0-9]{1,9}")


class SfRefused(Refused):
    """SF will not do it: digest, right, address, unknown order. `code` is SF's platform or business code."""


class SfUnavailable(Unavailable):
    """Nothing was done: no connection, HTTP 429, or the platform's own limit (A1005)."""


class SfUnknown(UnknownOutcome):
    """Time-out, reset, HTTP 5xx, garbage, a fault inside SF. Every call of ours may simply be repeated."""


_FAULTS = Faults(not_sent=SfUnavailable, unknown=SfUnknown)


@dataclass(frozen=True)
class SfConfig:
    """`base_url` is `https://bspgw.sf-express.com` in production, without path. `partner_id`: 顾客编码, `check_word`:
    校验码, `monthly_card`: 月结卡号. `sender` is printed on every waybill. `express_type`: SF's product, as contracted.
    """

    base_url: str
    partner_id: str
    check_word: str = field(repr=False)
    monthly_card: str
    sender: Address = field(repr=False)
    express_type: int = 2

    def __post_init__(self) -> None:
        if not (self.partner_id and self.check_word):
            raise ValueError("SF needs a partner id and a check word (OMS_SF_PARTNER_ID, OMS_SF_CHECK_WORD)")


class _Lenient(BaseModel):
    """SF adds fields at will and sends codes now as text, now as numbers."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)


class _Envelope(_Lenient):
    apiResultCode: str
    apiErrorMsg: str | None = None
    apiResultData: str | dict[str, Any] | None = None


class _Outcome(_Lenient):
    success: bool
    errorCode: str | None = None
    errorMsg: str | None = None
    msgData: str | dict[str, Any] | None = None


class SfGateway:
    """`new_id` makes the request id, a fresh one for each call."""

    def __init__(
        self,
        config: SfConfig,
        http: httpx.AsyncClient,
        clock: Clock,
        new_id: Callable[[], str],
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._new_id = new_id
        self._deadline_s = deadline_s

    async def call(self, service: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """The service's `msgData`, once both levels say yes. Raises `SfRefused`, `SfUnavailable` or `SfUnknown`."""
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        timestamp = str(int(self._clock().timestamp() * 1000))
        form = {
            "partnerID": self._config.partner_id,
            "requestID": self._new_id(),
            "serviceCode": service,
            "timestamp": timestamp,
            "msgDigest": digest(text, timestamp, self._config.check_word),
            "msgData": text,
        }
        reply = await send(
            self._http,
            SYSTEM,
            "POST",
            self._config.base_url + _PATH,
            headers={"content-type": _FORM, "accept": "application/json"},
            content=urlencode(form).encode(),
            deadline_s=self._deadline_s,
            faults=_FAULTS,
        )
        raise_for_outage(SYSTEM, reply, _FAULTS)
        if reply.status != 200:
            raise SfUnknown(SYSTEM, f"HTTP {reply.status}", "an answer outside the protocol")
        try:
            return _message(reply.body)
        except UnableToRead as e:
            raise garbage(str(e)) from None


def digest(text: str, timestamp: str, check_word: str) -> str:
    """base64(MD5(javaUrlEncode(msgData + timestamp + checkWord))), over the exact text that is sent."""
    # MD5 is the provider's choice.
    encoded = java_url_encode(text + timestamp + check_word).encode()
    return base64.b64encode(hashlib.md5(encoded, usedforsecurity=False).digest()).decode()


def java_url_encode(text: str) -> str:
    """What `java.net.URLEncoder` makes of `text`: the tilde is escaped and the asterisk is not."""
    return quote_plus(text, safe="*-._").replace("~", "%7E")


def garbage(why: str) -> SfUnknown:
    return SfUnknown(SYSTEM, "GARBAGE", f"the answer cannot be read: {one_line(why, 200)}")


def _message(body: bytes) -> dict[str, Any]:
    envelope = parse(_Envelope, body)
    if envelope.apiResultCode != codes.OK:
        raise _error(envelope.apiResultCode, envelope.apiErrorMsg)
    outcome = parse(_Outcome, json.dumps(_object(envelope.apiResultData)))
    if outcome.success and outcome.errorCode == codes.DONE:
        return _object(outcome.msgData)
    # A code of success beside `success: false` proves neither.
    code = "" if outcome.success or outcome.errorCode == codes.DONE else outcome.errorCode or ""
    raise _error(code, outcome.errorMsg)


def _object(value: str | dict[str, Any] | None) -> dict[str, Any]:
    """SF packs JSON into a JSON string, on either level or on both."""
    unpacked = load(value) if isinstance(value, str) else value
    if not isinstance(unpacked, dict):
        raise UnableToRead("an object is expected")
    return unpacked


def _error(code: str, message: str | None) -> Exception:
    if not _CODE.fullmatch(code):
        return garbage("it has no code of the protocol")
    text = one_line(": ".join(part for part in (message, codes.HINTS.get(code)) if part), 200)
    if code in codes.LATER:
        return SfUnavailable(SYSTEM, code, text)
    if code in codes.UNKNOWN:
        return SfUnknown(SYSTEM, code, text)
    return SfRefused(SYSTEM, code, text)
