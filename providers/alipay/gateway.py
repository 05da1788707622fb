"""One signed call to the gateway and its verified reply: no success that a caller gets from here is unproven."""

import json
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel

from domain.clock import Clock
from domain.strict import UnableToRead, parse
from providers import http as outside
from providers.alipay.envelope import Envelope, open_envelope
from providers.alipay.errors import SYSTEM, error_class
from providers.alipay.models import AlipayConfig
from providers.alipay.signing import AlipayKey, Signer, signed_text
from providers.alipay.wire import AlipayOutcome
from providers.amounts import stamp
from providers.errors import UnknownOutcome
from providers.payment_errors import RateLimited, UnverifiedReply

M = TypeVar("M", bound=BaseModel)

PATH = "/gateway.do"
SUCCESS = "10000"
_BUSY = outside.Faults(not_sent=RateLimited)
_FORM = "application/x-www-form-urlencoded;charset=utf-8"
_OUR_KEYS = frozenset({"isv.invalid-app-id", "isv.invalid-signature"})


class Gateway:
    def __init__(self, config: AlipayConfig, http: httpx.AsyncClient, clock: Clock, deadline_s: float) -> None:
        self._config, self._http, self._clock, self._deadline_s = config, http, clock, deadline_s
        self._signer = Signer.load(config.app_id, config.private_key)
        self._alipay = AlipayKey.load(config.app_id, config.alipay_public_key)

    async def call(self, model: type[M], method: str, asked: dict[str, Any], *, notify_url: str = "") -> M:
        """The verified answer (code 10000) to `method` with `asked` as biz_content. Raises the tree of `errors.py`."""
        reply = await self._send(method, asked, notify_url)
        if reply.status != 200:
            outside.raise_for_outage(SYSTEM, reply, _BUSY)
            raise UnknownOutcome(SYSTEM, f"HTTP {reply.status}", "the gateway answers with 200 only; see base_url")
        envelope, outcome = _open(reply.body, method)
        is_success = envelope.is_answer and outcome.code == SUCCESS
        self._verify(envelope, outcome, is_success=is_success)
        if not is_success:
            raise _error(outcome, outside.retry_after_s(reply))
        try:
            return parse(model, envelope.inner)
        except UnableToRead as e:
            raise UnknownOutcome(SYSTEM, "MALFORMED", f"the reply to {method} is not as documented: {e}") from None

    async def _send(self, method: str, asked: dict[str, Any], notify_url: str) -> outside.Reply:
        asked_text = json.dumps(asked, ensure_ascii=False, separators=(",", ":"))
        common = {
            "app_id": self._config.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": stamp(self._clock()),
            "version": "1.0",
        }
        if notify_url:
            common["notify_url"] = notify_url
        sign = self._signer.sign(signed_text({**common, "biz_content": asked_text}))
        # The gateway decodes the body by the charset that it reads in the address.
        query = urlencode({**common, "sign": sign})
        return await outside.send(
            self._http,
            SYSTEM,
            "POST",
            f"{self._config.base_url.rstrip('/')}{PATH}?{query}",
            headers={"Content-Type": _FORM, "Accept-Encoding": "identity", "User-Agent": "order-orchestrator"},
            content=urlencode({"biz_content": asked_text}).encode(),
            deadline_s=self._deadline_s,
            faults=outside.PLAIN,
        )

    def _verify(self, envelope: Envelope, outcome: AlipayOutcome, *, is_success: bool) -> None:
        """A success must be signed. An error may come unsigned, but a wrong signature is never right.

        Except where Alipay does not know us: it cannot sign for an app that it did not recognise.
        """
        if not envelope.sign and not is_success:
            return
        if outcome.sub_code in _OUR_KEYS and not is_success:
            return
        if not envelope.sign:
            raise UnverifiedReply(SYSTEM, "NOT_SIGNED", "a success without a signature is not believed")
        if not self._alipay.fits(envelope.inner, envelope.sign):
            raise UnverifiedReply(SYSTEM, "SIGNATURE", f"code {outcome.code} not believed: the signature does not fit")


def _open(body: bytes, method: str) -> tuple[Envelope, AlipayOutcome]:
    try:
        envelope = open_envelope(body, method)
        return envelope, parse(AlipayOutcome, envelope.inner)
    except UnableToRead as e:
        raise UnverifiedReply(SYSTEM, "MALFORMED", f"the reply to {method} is not Alipay's envelope: {e}") from None


def _error(outcome: AlipayOutcome, retry_after_s: float | None) -> Exception:
    kind = error_class(outcome.code, outcome.sub_code)
    text = outcome.sub_msg or outcome.msg or "no text given"
    return kind(SYSTEM, outcome.sub_code or outcome.code, text, retry_after_s=retry_after_s)
