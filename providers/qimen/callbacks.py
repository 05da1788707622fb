"""The door for a warehouse's callbacks: verify on the raw bytes, read, map to facts, answer in Qimen's XML.

Order of refusal: missing or repeated parameter, signature, account, age, then the document. Nothing of the body is read
before its signature stands.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from pydantic import ValidationError

from domain.facts import Fact, Kind
from providers.callbacks import Answer, Callback, CallbackRefused, RawRequest
from providers.qimen.facts import SOURCE, STATUS_KINDS, Units, fact, shipped
from providers.qimen.fields import CODE, ITEM, LINE, count, optional, required, time_of
from providers.qimen.models import QimenConfig
from providers.qimen.sign import moment, verifies
from providers.qimen.xml import MAX_BYTES, UnableToReadXml, build, each, one, parse, text_of

FRESH = timedelta(seconds=300)
"""A callback older or younger than this by its own signed timestamp is refused (docs/providers.md). The warehouse signs
every attempt anew, so an honest late retry passes."""
_AHEAD = timedelta(days=1)
_PARAMETERS = ("method", "timestamp", "format", "app_key", "v", "sign_method", "customerId", "sign")
_LONGEST = 200

Reader = Callable[[Element, datetime], tuple[str | None, tuple[Fact, ...]]]
"""Document and time of sending → the message's own id, if it has one, and its facts."""


class QimenReceiver:
    """Reads callbacks for one account. Methods and statuses it does not know are believed and carry no facts."""

    source = SOURCE

    def __init__(self, config: QimenConfig, *, fresh: timedelta = FRESH) -> None:
        self._config = config
        self._fresh = fresh

    def read(self, request: RawRequest, now: datetime) -> Callback:
        """Raises `CallbackRefused`, its `reason` one of: missing_parameter, repeated_parameter, too_large, signature,
        parameter, account, stale, early, or one of the document's (see `providers.qimen.xml`, `fields`)."""
        params = _parameters(request.query)
        if len(request.body) > MAX_BYTES:
            raise CallbackRefused("too_large", f"the body is longer than {MAX_BYTES} bytes", status=413)
        if not verifies(self._config.secret, params, request.body):
            raise CallbackRefused("signature", "the signature does not fit parameters and body")
        sent_at = self._checked(params, now)
        method = params["method"].removeprefix("taobao.qimen.")
        try:
            told, facts = _READERS.get(method, _unknown)(parse(request.body, "request"), sent_at)
            _refuse_future(facts, now)
        except UnableToReadXml as e:
            raise CallbackRefused(e.reason, f"{method[:60]}: {e}", status=400) from e
        except ValidationError as e:
            raise CallbackRefused("field", f"{method[:60]}: a value is outside its bounds", status=400) from e
        return Callback(event_id=_event_id(method, told, request.body), kind=method[:60], facts=facts)

    def accepted(self, request: RawRequest) -> Answer:
        return _answer(200, "success", "0", "received")

    def refused(self, request: RawRequest, why: CallbackRefused) -> Answer:
        return _answer(why.status, "failure", why.reason.upper(), why.text)

    def _checked(self, params: Mapping[str, str], now: datetime) -> datetime:
        """Time of sending of a message whose signature stands."""
        if (params["format"], params["v"], params["sign_method"]) != ("xml", "2.0", "md5"):
            raise CallbackRefused("parameter", "only format=xml, v=2.0, sign_method=md5 is read", status=400)
        if (params["app_key"], params["customerId"]) != (self._config.app_key, self._config.customer_id):
            raise CallbackRefused("account", "app_key or customerId is not ours")
        try:
            sent_at = moment(params["timestamp"])
        except ValueError:
            raise CallbackRefused("parameter", "timestamp is not a time like 2015-04-26 00:00:07", status=400) from None
        if sent_at < now - self._fresh:
            raise CallbackRefused("stale", "the message was signed too long ago")
        if sent_at > now + self._fresh:
            raise CallbackRefused("early", "the message is signed with a time still to come")
        return sent_at


def _confirm(document: Element, sent_at: datetime) -> tuple[str | None, tuple[Fact, ...]]:
    """deliveryorder.confirm: the parcel left. A partial one (confirmType 1) is kept and told by the final one."""
    order = one(document, "deliveryOrder")
    child_no = required(order, "deliveryOrderCode", CODE)
    message_id = optional(order, "outBizCode", CODE)
    if text_of(order, "confirmType") == "1":
        return message_id, ()
    at = time_of(order, "orderConfirmTime") or time_of(order, "operateTime") or sent_at
    return message_id, shipped(child_no, at, document)


def _process(document: Element, sent_at: datetime) -> tuple[str | None, tuple[Fact, ...]]:
    """orderprocess.report: one step of the work on an order. It has no message id."""
    child_no = required(one(document, "order"), "orderCode", CODE)
    process = one(document, "process")
    kind = STATUS_KINDS.get((text_of(process, "processStatus") or "").upper())
    if kind is None:
        return None, ()
    note = text_of(process, "operateInfo", longest=2000) or text_of(process, "remark", longest=2000) or ""
    return None, (fact(kind, child_no, time_of(process, "operateTime") or sent_at, note=note),)


def _lack(document: Element, sent_at: datetime) -> tuple[str | None, tuple[Fact, ...]]:
    """itemlack.report: a short pick.

    Qimen names goods here, not lines. `actual` has what is short (the rest is picked in full): by line where the
    warehouse adds orderLineNo, as the sandbox's does, else by article. Where a number lacks, only the note says it.
    """
    child_no = required(document, "deliveryOrderCode", CODE)
    actual: dict[str, int] = {}
    notes = []
    whole = True
    items = list(each(document, "items", "item"))
    named = all(text_of(item, "orderLineNo") for item in items)
    for item in items:
        sku, planned, lack = required(item, "itemCode", ITEM), count(item, "planQty"), count(item, "lackQty")
        notes.append(f"{sku}: {lack if lack is not None else '?'} of {planned if planned is not None else '?'} lack")
        if planned is None or lack is None or lack > planned:
            whole = False
        else:
            name = required(item, "orderLineNo", LINE) if named else sku
            actual[name] = actual.get(name, 0) + planned - lack
    at = time_of(document, "createTime") or sent_at
    known = actual if whole and actual else None
    told = Units(by_line=known) if named else Units(by_item=known)
    short = fact(Kind.SHORT_PICKED, child_no, at, note="; ".join(notes), actual=told)
    return optional(document, "outBizCode", CODE), (short,)


def _unknown(document: Element, sent_at: datetime) -> tuple[str | None, tuple[Fact, ...]]:
    return None, ()


_READERS: Mapping[str, Reader] = {
    "deliveryorder.confirm": _confirm,
    "orderprocess.report": _process,
    "itemlack.report": _lack,
}


def _parameters(query: Mapping[str, str]) -> Mapping[str, str]:
    # Starlette's QueryParams is a mapping that still knows every pair; a plain dict has forgotten the repeats.
    pairs = getattr(query, "multi_items", None)
    if pairs is not None and len(pairs()) != len(query):
        raise CallbackRefused("repeated_parameter", "a query parameter stands twice", status=400)
    for name in _PARAMETERS:
        value = query.get(name, "")
        if not value or len(value) > _LONGEST:
            raise CallbackRefused(
                "missing_parameter", f"query parameter {name} is missing, empty or too long", status=400
            )
    return query


def _refuse_future(facts: tuple[Fact, ...], now: datetime) -> None:
    if any(f.occurred_at > now + _AHEAD for f in facts):
        raise UnableToReadXml("time", "the message tells of something that has not happened yet")


def _event_id(method: str, told: str | None, body: bytes) -> str:
    # A warehouse numbers its messages per kind, so the kind is part of the id.
    return f"{method}:{told}"[:180] if told else hashlib.sha256(body).hexdigest()


def _answer(status: int, flag: str, code: str, message: str) -> Answer:
    body = build("response", [("flag", flag), ("code", code), ("message", message)])
    return Answer(status, body, "text/xml; charset=utf-8")
