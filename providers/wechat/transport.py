"""One signed call to API v3 and its verified reply: nothing a caller gets from here is unproven."""

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import httpx
from pydantic import BaseModel

from domain.clock import Clock
from domain.strict import UnableToRead, parse
from providers import http as outside
from providers.errors import UnknownOutcome
from providers.payment_errors import UnverifiedReply
from providers.wechat.cipher import UnableToDecrypt, decrypt
from providers.wechat.errors import SYSTEM, error_class
from providers.wechat.keys import NotVerified, PlatformKeys
from providers.wechat.models import WechatConfig
from providers.wechat.signing import Signer, UnableToLoadKey
from providers.wechat.wire import Certificates, ErrorBody, Sealed

Nonce = Callable[[], str]
M = TypeVar("M", bound=BaseModel)
HOSTS = ".mch.weixin.qq.com"
"""Of WeChat Pay's own files, whichever of its hosts was asked."""


class Transport:
    def __init__(
        self,
        config: WechatConfig,
        keys: PlatformKeys,
        http: httpx.AsyncClient,
        clock: Clock,
        nonce: Nonce,
        deadline_s: float,
    ) -> None:
        self._config, self._keys, self._http = config, keys, http
        self._clock, self._nonce, self._deadline_s = clock, nonce, deadline_s
        self.signer = Signer.from_pem(config.mchid, config.serial_no, config.private_key)

    async def call(self, method: str, path: str, body: bytes = b"", *, is_refund: bool = False) -> bytes:
        """Body of a verified 2xx. Raises the error tree of `errors.py`."""
        if self._config.certificate_mode and self._keys.due(self._clock()):
            await self.refresh_certificates()
        reply = await self._send(method, path, body)
        await self._verify(reply)
        if reply.status in (200, 204):
            return reply.body
        raise self._error(reply, is_refund=is_refund)

    async def read(self, model: type[M], method: str, path: str, body: bytes = b"", *, is_refund: bool = False) -> M:
        raw = await self.call(method, path, body, is_refund=is_refund)
        try:
            return parse(model, raw)
        except UnableToRead as e:
            raise UnknownOutcome(SYSTEM, "MALFORMED", f"the reply is not as documented: {e}") from None

    async def download(self, address: str, *, most_bytes: int, deadline_s: float) -> AsyncIterator[bytes]:
        """A file that a verified reply has named, part by part. It comes unsigned: its hash is in the reply."""
        url, base = httpx.URL(address), httpx.URL(self._config.base_url)
        if (url.scheme, url.netloc) != (base.scheme, base.netloc) and not (
            url.scheme == "https" and url.host.endswith(HOSTS)
        ):
            raise UnknownOutcome(SYSTEM, "MALFORMED", f"a file at {url.host}, which is no host of WeChat Pay")
        headers = self._headers("GET", url, b"")
        async for part in outside.download(
            self._http, SYSTEM, url, headers=headers, most_bytes=most_bytes, deadline_s=deadline_s
        ):
            yield part

    async def refresh_certificates(self) -> None:
        """Fetch, decrypt and check the platform certificates. The APIv3 key vouches for them, they for the reply."""
        reply = await self._send("GET", "/v3/certificates", b"")
        if reply.status != 200:
            raise self._error(reply, is_refund=False)
        try:
            listed = parse(Certificates, reply.body)
            found = {item.serial_no.upper(): self._open(item.encrypt_certificate) for item in listed.data}
            fresh = PlatformKeys({})
            fresh.replace_downloaded(found, self._clock())
            fresh.verify(reply.headers, reply.body, self._clock())
            self._keys.replace_downloaded(found, self._clock())
        except (UnableToRead, UnableToDecrypt, UnableToLoadKey, NotVerified) as e:
            raise UnverifiedReply(SYSTEM, "CERTIFICATES", f"cannot believe the certificate download: {e}") from None

    def _open(self, sealed: Sealed) -> str:
        key = self._config.apiv3_key.encode()
        plain = decrypt(key, nonce=sealed.nonce, associated_data=sealed.associated_data, ciphertext=sealed.ciphertext)
        return plain.decode("ascii", errors="replace")

    async def _send(self, method: str, path: str, body: bytes) -> outside.Reply:
        url = httpx.URL(self._config.base_url.rstrip("/") + path)
        return await outside.send(
            self._http,
            SYSTEM,
            method,
            url,
            headers=self._headers(method, url, body),
            content=body,
            deadline_s=self._deadline_s,
            faults=outside.PLAIN,
        )

    def _headers(self, method: str, url: httpx.URL, body: bytes) -> dict[str, str]:
        target = url.raw_path.decode("ascii")  # as httpx will send it, so that the signature covers the same bytes
        headers = {
            "Authorization": self.signer.authorization(
                method, target, body, timestamp=int(self._clock().timestamp()), nonce=self._nonce()
            ),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "order-orchestrator",
        }
        if self._keys.public_key_id is not None:
            headers["Wechatpay-Serial"] = self._keys.public_key_id
        return headers

    async def _verify(self, reply: outside.Reply) -> None:
        """A 2xx must be signed. An error may come unsigned, but a wrong signature is never right.

        Except on 401: there our own keys or clock are wrong, which the refusal explains better than its signature can.
        """
        is_success = 200 <= reply.status < 300
        if reply.status == 401 or (not is_success and "wechatpay-signature" not in reply.headers):
            return
        try:
            self._keys.verify(reply.headers, reply.body, self._clock())
            return
        except NotVerified as e:
            first = e
        if first.reason == "unknown_key" and self._config.certificate_mode:
            await self.refresh_certificates()
            try:
                self._keys.verify(reply.headers, reply.body, self._clock())
                return
            except NotVerified as e:
                first = e
        raise UnverifiedReply(SYSTEM, first.reason.upper(), f"HTTP {reply.status} not believed: {first.text}")

    def _error(self, reply: outside.Reply, *, is_refund: bool) -> Exception:
        try:
            told = parse(ErrorBody, reply.body)
        except UnableToRead:
            told = ErrorBody()
        kind = error_class(reply.status, told.code, is_refund=is_refund)
        code = told.code or f"HTTP {reply.status}"
        return kind(SYSTEM, code, told.message or "no text given", retry_after_s=outside.retry_after_s(reply))
