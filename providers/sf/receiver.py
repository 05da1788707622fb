"""Route pushes of SF: JSON, only what is new, and not signed (docs/providers.md, SF Express).

What SF can keep secret is the address it pushes to: `…/hooks/sf?key=<secret>`, configured there. The relay's list of
SF's networks (OMS_RELAY_ALLOW) belongs beside it.
"""

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.strict import UnableToRead, parse
from providers.callbacks import Answer, Callback, CallbackRefused, RawRequest
from providers.sf.routes import Route, trace_of
from providers.tracking import WaybillNo

MIN_KEY = 24
MAX_PUSHED = 100
"""SF sends at most 10 at once."""
_JSON = "application/json; charset=UTF-8"


class _Pushed(Route):
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    mailno: WaybillNo


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    WaybillRoute: Annotated[tuple[_Pushed, ...], Field(min_length=1, max_length=MAX_PUSHED)]


class _Push(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    Body: _Body


class SfReceiver:
    """`providers.callbacks.Receiver` for source `sf`.

    `push_keys`: any of them opens the door, so that one can replace another without a gap. A push has no id
    of its own, but each of its scans has: the push's id is the hash of theirs.
    """

    source = "sf"

    def __init__(self, push_keys: Sequence[str]) -> None:
        if not push_keys or min(len(key) for key in push_keys) < MIN_KEY:
            raise ValueError(f"SF pushes need a secret key of at least {MIN_KEY} characters (OMS_SF_PUSH_KEYS)")
        self._keys = [key.encode() for key in push_keys]

    def read(self, request: RawRequest, now: datetime) -> Callback:
        self._admit(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise CallbackRefused("content_type", "choose JSON for route pushes at SF", status=415)
        try:
            routes = parse(_Push, request.body).Body.WaybillRoute
        except UnableToRead as e:
            raise CallbackRefused("malformed", f"unable to read the SF push: {e}", status=400) from None
        return _callback(routes, now)

    def accepted(self, request: RawRequest) -> Answer:
        return _answer(200, "0000", "成功")

    def refused(self, request: RawRequest, why: CallbackRefused) -> Answer:
        return _answer(why.status, "1000", why.reason)

    def _admit(self, request: RawRequest) -> None:
        given, fits = request.query.get("key", "").encode(errors="replace"), False
        for key in self._keys:
            # No early way out: the time taken tells nothing about which key came close.
            fits |= hmac.compare_digest(given, key)
        if not fits:
            raise CallbackRefused("key", "the address of the push lacks our key; check the push URL at SF")


def _callback(routes: Sequence[_Pushed], now: datetime) -> Callback:
    by_parcel: dict[str, list[Route]] = defaultdict(list)
    for route in routes:
        by_parcel[route.mailno].append(route)
    traces = [trace_of(waybill_no, scans, now) for waybill_no, scans in by_parcel.items()]
    ids = "\n".join(sorted({route.id for route in routes}))
    return Callback(
        event_id=hashlib.sha256(ids.encode()).hexdigest(),
        kind="route",
        facts=tuple(fact for trace in traces for fact in trace.facts),
        trace=tuple(point for trace in traces for point in trace.points),
    )


def _answer(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"return_code": code, "return_msg": message}, ensure_ascii=False)
    return Answer(status, body.encode(), _JSON)
