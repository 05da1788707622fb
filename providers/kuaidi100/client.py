"""Calls to Kuaidi100: subscribe to a parcel's pushes, query a parcel (docs/providers.md, Kuaidi100)."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from domain.clock import Clock
from domain.strict import UnableToRead, load, parse
from providers.errors import Refused, Unavailable, UnknownOutcome
from providers.http import DEADLINE_S, Faults, raise_for_outage, send
from providers.kuaidi100.codes import company_of
from providers.kuaidi100.snapshot import Snapshot, trace_of
from providers.tracking import ParcelStatus, Trace, one_line

SYSTEM = "kuaidi100"
QUERY_SPACING = timedelta(minutes=30)
"""One number may be queried at most this often (the account is locked otherwise); callers keep it."""

_FORM = "application/x-www-form-urlencoded; charset=UTF-8"
_ADVANCED = "4"
"""resultv2 that gives every scan its advanced state code."""


class Kuaidi100Refused(Refused):
    """Key, company or number not accepted: 600, 601, 700, 701, 702 and every other explicit no."""


class Kuaidi100Unavailable(Unavailable):
    """Nothing was done: no connection, 429, or Kuaidi100 asks to come again (500, 502)."""


class Kuaidi100Unknown(UnknownOutcome):
    """Time-out, reset, HTTP 5xx, garbage. Subscribing and querying may both simply be repeated."""


_FAULTS = Faults(not_sent=Kuaidi100Unavailable, unknown=Kuaidi100Unknown)


@dataclass(frozen=True)
class Kuaidi100Config:
    """`base_url` is `https://poll.kuaidi100.com` in production, without a trailing slash.

    `salt` signs the pushes and is their only authentication, so it must not be empty.
    """

    base_url: str
    customer: str
    key: str = field(repr=False)
    salt: str = field(repr=False)
    callback_url: str

    def __post_init__(self) -> None:
        if not self.salt:
            raise ValueError("Kuaidi100 needs a salt: without one anybody can push parcel states (OMS_KUAIDI100_SALT)")


@dataclass(frozen=True)
class CourierSubscription:
    """One parcel to follow. `carrier`: our code (YTO). `phone`: receiver's or sender's, demanded by SF and ZTO."""

    waybill_no: str
    carrier: str
    phone: str | None = None


class Kuaidi100:
    """Both methods raise `Kuaidi100Refused`, `Kuaidi100Unavailable` or `Kuaidi100Unknown`."""

    def __init__(
        self,
        config: Kuaidi100Config,
        http: httpx.AsyncClient,
        clock: Clock,
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._deadline_s = deadline_s

    async def subscribe(self, subscription: CourierSubscription) -> None:
        """Ask for pushes about a parcel. Already subscribed (501) is as good as subscribed now."""
        parameters = {"callbackurl": self._config.callback_url, "salt": self._config.salt, "resultv2": _ADVANCED}
        if subscription.phone:
            parameters["phone"] = subscription.phone
        param = {
            "company": company_of(subscription.carrier),
            "number": subscription.waybill_no,
            "key": self._config.key,
            "parameters": parameters,
        }
        answer = await self._post("/poll", {"schema": "json", "param": _compact(param)})
        code = str(answer.get("returnCode", ""))
        if code in ("200", "501"):
            return
        raise _refusal(code, answer, again=("500",))

    async def query(self, carrier: str, waybill_no: str, phone: str | None = None) -> Trace:
        """The parcel as it stands now; an empty trace while no courier has scanned it. Callers keep `QUERY_SPACING`."""
        param = {"com": company_of(carrier), "num": waybill_no, "resultv2": _ADVANCED}
        if phone:
            param["phone"] = phone
        text = _compact(param)
        form = {"customer": self._config.customer, "sign": query_sign(text, self._config), "param": text}
        answer = await self._post("/poll/query.do", form)
        if str(answer.get("status", "")) == "200" and "data" in answer:
            return self._trace(answer, waybill_no)
        code = str(answer.get("returnCode", ""))
        if code == "500":
            return Trace(waybill_no, carrier, ParcelStatus.UNKNOWN, False, facts=(), points=(), as_of=self._clock())
        raise _refusal(code, answer, again=("501", "502"))

    def _trace(self, answer: dict[str, Any], waybill_no: str) -> Trace:
        try:
            snapshot = parse(Snapshot, _compact(answer))
        except UnableToRead as e:
            raise Kuaidi100Unknown(SYSTEM, "GARBAGE", f"the trace cannot be read: {one_line(str(e), 200)}") from None
        if snapshot.nu != waybill_no:
            raise Kuaidi100Unknown(SYSTEM, "WRONG_PARCEL", f"asked for {waybill_no}, answered for {snapshot.nu}")
        return trace_of(snapshot, self._clock())

    async def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        headers = {"content-type": _FORM, "accept": "application/json"}
        content = urlencode(form).encode()
        url = self._config.base_url + path
        reply = await send(
            self._http,
            SYSTEM,
            "POST",
            url,
            headers=headers,
            content=content,
            deadline_s=self._deadline_s,
            faults=_FAULTS,
        )
        raise_for_outage(SYSTEM, reply, _FAULTS)
        try:
            answer = load(reply.body)
        except UnableToRead as e:
            raise Kuaidi100Unknown(SYSTEM, "GARBAGE", f"the answer cannot be read: {one_line(str(e), 200)}") from None
        if reply.status != 200 or not isinstance(answer, dict):
            raise Kuaidi100Unknown(SYSTEM, f"HTTP {reply.status}", "an answer outside the protocol")
        return answer


def query_sign(param: str, config: Kuaidi100Config) -> str:
    """UPPER(MD5(param + key + customer)), over the exact text that is sent."""
    return md5_upper(param + config.key + config.customer)


def md5_upper(text: str) -> str:
    # MD5 is the provider's choice.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def _refusal(code: str, answer: dict[str, Any], *, again: tuple[str, ...]) -> Exception:
    message = one_line(str(answer.get("message", "")), 200)
    if code in again:
        return Kuaidi100Unavailable(SYSTEM, code, message)
    if not code.isascii() or not code.isdigit() or code == "200":
        return Kuaidi100Unknown(SYSTEM, "GARBAGE", "an answer without a return code of the protocol")
    return Kuaidi100Refused(SYSTEM, code[:20], message)


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
