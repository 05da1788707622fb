"""Alipay's notifications: a signed form, verified before it is believed (docs/providers.md; opendocs common/02km9f)."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import ValidationError

from domain.facts import Fact
from domain.strict import faults
from providers.alipay.facts import SOURCE, notice_facts
from providers.alipay.models import AlipayConfig
from providers.alipay.signing import MAX_SIGNATURE, AlipayKey, signed_text
from providers.alipay.wire import AlipayNotice, TradeNotice
from providers.amounts import stamp
from providers.callbacks import Answer, Callback, CallbackRefused, RawRequest

MAX_BODY_BYTES = 64_000
MAX_FIELDS = 100
MAX_AGE = timedelta(hours=26)
MAX_AHEAD = timedelta(minutes=5)

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

N = TypeVar("N", bound=AlipayNotice)


class AlipayReceiver:
    """`providers.callbacks.Receiver` for source `alipay`. The event id is notify_id, which repeats keep.

    Freshness: an unanswered notification comes again after 4m, 10m, 10m, 1h, 2h, 6h and 15h, the last time 24 h 24 min
    after the first, and nothing promises that notify_time is written anew. So up to `MAX_AGE` (that, and time for slow
    deliveries) is accepted and anything older refused; what is repeated within it carries the same notify_id and
    fact keys and changes nothing. More than `MAX_AHEAD` in the future is refused too.

    Refusal words: too_large, malformed, duplicate_field, missing_field, charset, sign_type, ambiguous, signature,
    stale, wrong_app, wrong_merchant.
    """

    source = SOURCE

    def __init__(self, config: AlipayConfig) -> None:
        """Raises `UnableToLoadKey`."""
        self._app_id, self._seller_id = config.app_id, config.seller_id
        self._alipay = AlipayKey.load(config.app_id, config.alipay_public_key)

    def read(self, request: RawRequest, now: datetime) -> Callback:
        try:
            return self._read(request, now)
        except CallbackRefused:
            raise
        except Exception as e:  # the promise of `Receiver`: whatever the bytes, the door answers, it never breaks
            raise CallbackRefused("malformed", f"unreadable callback ({type(e).__name__})", status=400) from e

    def accepted(self, request: RawRequest) -> Answer:
        return Answer(200, b"success", "text/plain")

    def refused(self, request: RawRequest, why: CallbackRefused) -> Answer:
        # One word for everything: a forger learns nothing from it.
        return Answer(why.status, b"fail", "text/plain")

    def _read(self, request: RawRequest, now: datetime) -> Callback:
        fields = self._believed(_form(request.body))
        notice = _as(AlipayNotice, fields)
        if not -MAX_AHEAD <= now - notice.notify_time <= MAX_AGE:
            raise CallbackRefused(
                "stale", f"sent {stamp(notice.notify_time)}, which is too far from now to be believed"
            )
        if notice.app_id != self._app_id:
            raise CallbackRefused("wrong_app", "a genuine notification, but for another application")
        if notice.notify_type != "trade_status_sync":
            return Callback(notice.notify_id, notice.notify_type, ())
        trade = _as(TradeNotice, fields)
        if trade.seller_id != self._seller_id:
            raise CallbackRefused("wrong_merchant", "a genuine notification, but the money went to another seller")
        return Callback(trade.notify_id, trade.trade_status, _facts(trade))

    def _believed(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The signed fields. `sign_type` is no part of what is signed, so it may say nothing but what is so."""
        sign = fields.get("sign", "")
        if not sign:
            raise CallbackRefused("missing_field", "sign is missing")
        if fields.get("sign_type", "RSA2") != "RSA2":
            raise CallbackRefused("sign_type", "only RSA2 is believed")
        if fields.get("charset", "utf-8").lower() != "utf-8":
            raise CallbackRefused("charset", "only utf-8 was asked for", status=400)
        signed = {name: value for name, value in fields.items() if name not in ("sign", "sign_type")}
        if not _reads_one_way(signed):
            raise CallbackRefused(
                "ambiguous", "a field holds what could be another field of the signed text", status=400
            )
        # Alipay's documents leave empty fields out of the text, some notices do not. What is not signed is not read.
        full = {name: value for name, value in signed.items() if value}
        for text in (signed, full) if full != signed else (signed,):
            if len(sign) <= MAX_SIGNATURE and self._alipay.fits(signed_text(text), sign):
                return text
        raise CallbackRefused("signature", "sign does not fit the fields")


def _reads_one_way(fields: Mapping[str, str]) -> bool:
    """The signed text joins names and values with nothing escaped: of one genuine text several forms can be made, such
    as with another order's number out of a remark. Whichever it is, one of two equal names then lies inside a value."""
    return all(NAME.fullmatch(name) for name in fields) and not any(
        f"&{name}=" in value for value in fields.values() for name in TradeNotice.model_fields
    )


def _form(body: bytes) -> dict[str, str]:
    if len(body) > MAX_BODY_BYTES:
        raise CallbackRefused("too_large", f"notification of {len(body)} bytes", status=413)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise CallbackRefused("malformed", "the body is not a URL-encoded form in UTF-8", status=400) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise CallbackRefused("duplicate_field", "a field stands twice", status=400)
    return fields


def _as(model: type[N], fields: Mapping[str, str]) -> N:
    try:
        return model.model_validate(fields)
    except ValidationError as e:
        raise CallbackRefused("malformed", faults(e), status=400) from None


def _facts(trade: TradeNotice) -> tuple[Fact, ...]:
    if trade.trade_status in ("TRADE_SUCCESS", "TRADE_FINISHED") and trade.gmt_payment is None:
        raise CallbackRefused("malformed", "a successful payment without gmt_payment", status=400)
    return notice_facts(trade)
