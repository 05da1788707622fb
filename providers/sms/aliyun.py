"""阿里云短信 (Dysmsapi 2017-05-25), signed with ACS3-HMAC-SHA256. docs/providers.md names the pages."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import httpx

from domain.clock import Clock
from domain.strict import UnableToRead, load
from providers.errors import Refused, Unavailable, UnknownOutcome
from providers.http import Faults, raise_for_outage, send

SYSTEM = "sms"
ACTION, VERSION, ALGORITHM = "SendSms", "2017-05-25", "ACS3-HMAC-SHA256"
DEADLINE_S = 8.0


class SmsRefused(Refused):
    """The channel says no: the phone, the template, or its own limits."""


class SmsUnavailable(Unavailable):
    """Nothing was sent."""


class SmsUnknown(UnknownOutcome):
    """It may have been sent."""


_FAULTS = Faults(not_sent=SmsUnavailable, unknown=SmsUnknown)


@dataclass(frozen=True)
class SmsConfig:
    """`base_url`: `https://dysmsapi.aliyuncs.com` in production. `template`: one with the single parameter `code`."""

    base_url: str
    access_key_id: str
    access_key_secret: str = field(repr=False)
    sign_name: str
    template: str


class AliyunSms:
    """Raises `SmsRefused`, `SmsUnavailable`, `SmsUnknown`."""

    def __init__(self, config: SmsConfig, http: httpx.AsyncClient, clock: Clock) -> None:
        self._config = config
        self._http = http
        self._clock = clock

    async def send_code(self, phone: str, code: str) -> None:
        """`phone`: digits only, of China without a country code."""
        query = {
            "PhoneNumbers": phone, "SignName": self._config.sign_name, "TemplateCode": self._config.template,
            "TemplateParam": json.dumps({"code": code}),
        }  # fmt: skip
        headers = self._headers(query)
        url = f"{self._config.base_url}/?{canonical_query(query)}"
        reply = await send(self._http, SYSTEM, "POST", url, headers=headers, deadline_s=DEADLINE_S, faults=_FAULTS)
        raise_for_outage(SYSTEM, reply, _FAULTS)
        try:
            told = load(reply.body)
        except UnableToRead:
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("Code"), str):
            raise SmsUnknown(SYSTEM, f"HTTP {reply.status}", "the answer is no JSON object with a code")
        if told["Code"] != "OK":
            raise SmsRefused(SYSTEM, told["Code"][:60], str(told.get("Message", ""))[:200])

    def _headers(self, query: Mapping[str, str]) -> dict[str, str]:
        headers = {
            "host": urlsplit(self._config.base_url).netloc, "x-acs-action": ACTION, "x-acs-version": VERSION,
            "x-acs-date": self._clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16), "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        }  # fmt: skip
        signed = signature(self._config.access_key_secret, "POST", query, headers)
        names = ";".join(sorted(headers))
        credential = f"Credential={self._config.access_key_id}"
        return {**headers, "authorization": f"{ALGORITHM} {credential},SignedHeaders={names},Signature={signed}"}


def canonical_query(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))


def signature(secret: str, method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Of a request without a body, hex; `headers`: all that are signed, their names in lower case."""
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    request = "\n".join(
        (method, "/", canonical_query(query), lines, ";".join(sorted(headers)), headers["x-acs-content-sha256"])
    )
    text = f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
