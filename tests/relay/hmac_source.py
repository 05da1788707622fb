"""A source of our own: JSON body, HMAC-SHA256 in one header. Simple enough that the tests show only the relay."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.facts import Fact, Kind
from domain.strict import Strict, UnableToRead, parse
from providers.callbacks import Answer, Callback, CallbackRefused, RawRequest, TracePoint
from tests.store.examples import NOW

KEY = b"relay-tests"


class Message(Strict):
    id: str
    kind: str
    facts: tuple[Fact, ...] = ()
    scans: tuple[str, ...] = ()


class HmacReceiver:
    source = "shop"

    def read(self, request: RawRequest, now: datetime) -> Callback:
        given = request.headers.get("x-signature", "")
        if not given.isascii() or not hmac.compare_digest(given, sign(request.body)["x-signature"]):
            raise CallbackRefused("signature", "the signature does not fit")
        try:
            m = parse(Message, request.body)
        except UnableToRead as why:
            raise CallbackRefused("malformed", str(why), status=400) from None
        trace = tuple(TracePoint("WB-1", scan, NOW, "scanned", scan) for scan in m.scans)
        return Callback(m.id, m.kind, m.facts, trace)

    def accepted(self, request: RawRequest) -> Answer:
        return Answer(200, b"thank you", "text/plain")

    def refused(self, request: RawRequest, why: CallbackRefused) -> Answer:
        return Answer(why.status, f"no: {why.reason}".encode(), "text/plain")


class BrokenReceiver(HmacReceiver):
    source = "broken"

    def read(self, request: RawRequest, now: datetime) -> Callback:
        raise ZeroDivisionError("a secret detail")


def sign(body: bytes) -> dict[str, str]:
    return {"x-signature": hmac.new(KEY, body, hashlib.sha256).hexdigest()}


def fact(key: str, order_no: str | None = None, kind: Kind = Kind.PAYMENT_SUCCEEDED, **more: Any) -> Fact:
    return Fact(key=key, kind=kind, source="shop", occurred_at=NOW, order_no=order_no, **more)


def message(event_id: str, *facts: Fact, scans: tuple[str, ...] = ()) -> bytes:
    listed = [f.model_dump(mode="json", exclude_none=True) for f in facts]
    return json.dumps({"id": event_id, "kind": "told", "facts": listed, "scans": scans}).encode()


def signed(event_id: str, *facts: Fact, scans: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """Arguments for `httpx` post."""
    body = message(event_id, *facts, scans=scans)
    return {"content": body, "headers": sign(body)}
