"""WeChat Pay's callbacks: verify the raw bytes, decrypt, read, map to facts (merchant docs 4012791902, 4013071196)."""

from datetime import datetime

from domain.facts import Fact
from domain.strict import UnableToRead, parse
from providers.callbacks import Answer, Callback, CallbackRefused, RawRequest
from providers.wechat.cipher import UnableToDecrypt, decrypt
from providers.wechat.facts import SOURCE, refund_facts, trade_facts
from providers.wechat.keys import NotVerified, PlatformKeys
from providers.wechat.models import WechatConfig
from providers.wechat.wire import RefundNotice, Sealed, WechatNotice, WireTrade

MAX_BODY_BYTES = 256_000
ALGORITHM = "AEAD_AES_256_GCM"


class WechatReceiver:
    """`keys` may be shared with the client, which refreshes certificates.

    Refusal words: missing_header, header_too_long, malformed_header, stale, unknown_key, signature, too_large,
    malformed, encryption, wrong_merchant.
    """

    source = SOURCE

    def __init__(self, config: WechatConfig, keys: PlatformKeys | None = None) -> None:
        self._mchid, self._key = config.mchid, config.apiv3_key.encode()
        self._keys = keys or PlatformKeys(config.platform_keys)

    def read(self, request: RawRequest, now: datetime) -> Callback:
        try:
            return self._read(request, now)
        except CallbackRefused:
            raise
        except Exception as e:  # the promise of `Receiver`: whatever the bytes, the door answers, it never breaks
            raise CallbackRefused("malformed", f"unreadable callback ({type(e).__name__})", status=400) from e

    def accepted(self, request: RawRequest) -> Answer:
        return Answer(204, b"", "application/json")

    def refused(self, request: RawRequest, why: CallbackRefused) -> Answer:
        # Generic on purpose: a forger learns nothing from it.
        return Answer(why.status, b'{"code":"FAIL","message":"refused"}', "application/json")

    def _read(self, request: RawRequest, now: datetime) -> Callback:
        if len(request.body) > MAX_BODY_BYTES:
            raise CallbackRefused("too_large", f"callback of {len(request.body)} bytes", status=413)
        try:
            self._keys.verify(request.headers, request.body, now)
        except NotVerified as e:
            raise CallbackRefused(e.reason, e.text) from None
        try:
            notice = parse(WechatNotice, request.body)
            return Callback(notice.id, notice.event_type, self._facts(notice))
        except UnableToRead as e:
            raise CallbackRefused("malformed", str(e), status=400) from None
        except UnableToDecrypt as e:
            raise CallbackRefused("encryption", str(e), status=400) from None

    def _facts(self, notice: WechatNotice) -> tuple[Fact, ...]:
        """An event type that we do not know yields no facts: it is stored, acknowledged and changes nothing."""
        if notice.event_type == "TRANSACTION.SUCCESS":
            trade = parse(WireTrade, self._open(notice.resource))
            self._only_ours(trade.mchid)
            facts = trade_facts(trade.trade())
            if not facts:
                raise UnableToRead("a successful payment without transaction_id, success_time or a paid trade_state")
            return facts
        if notice.event_type.startswith("REFUND."):
            refund = parse(RefundNotice, self._open(notice.resource))
            self._only_ours(refund.mchid)
            return refund_facts(refund.result(), merchant_id=refund.mchid, seen_at=notice.create_time)
        return ()

    def _open(self, sealed: Sealed) -> bytes:
        if sealed.algorithm != ALGORITHM:
            raise UnableToDecrypt("the resource uses an algorithm that we do not know")
        return decrypt(
            self._key, nonce=sealed.nonce, associated_data=sealed.associated_data, ciphertext=sealed.ciphertext
        )

    def _only_ours(self, mchid: str) -> None:
        if mchid != self._mchid:
            raise CallbackRefused("wrong_merchant", "a genuine callback, but for another merchant")
