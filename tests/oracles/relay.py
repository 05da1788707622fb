"""The relay on a database of its own, which hears every message that an SDK is shown, and what it made of them."""

import base64
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.local import ports
from deploy.local.postgres import COPIED
from providers.alipay import AlipayReceiver
from providers.callbacks import Receiver
from providers.standard_webhooks import Webhook
from providers.tms.receiver import TmsReceiver
from providers.wechat import WechatReceiver
from store.pool import Pool, open_pool
from tests.postgres import administer, at, template
from tests.providers import alipay_world, wechat_world
from tests.relay.conftest import lazy_client, running

SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
RECEIVERS: Mapping[str, Receiver] = {
    "wechat": WechatReceiver(wechat_world.config()),
    "alipay": AlipayReceiver(alipay_world.config()),
    "tms": TmsReceiver([SECRET]),
}
OF_THE_WAY = {"host", "content-length", "connection"}
PAID, REFUNDED = "PAYMENT_SUCCEEDED", "REFUND_SUCCEEDED"


@dataclass
class Message:
    """One that a provider sent. `answer`: the relay's."""

    headers: dict[str, str]
    body: bytes
    answer: httpx.Response

    @property
    def forged(self) -> bytes:
        """By somebody who has no key."""
        return self.body.replace(b"45.80", b"45.90").replace(b"195.80", b"195.90") + b" "


@dataclass
class Hearing:
    """A shop as a provider sees it: the relay's door, with a witness in front of it."""

    source: str
    http: httpx.AsyncClient
    pool: Pool
    folder: Path
    told: list[Message] = field(default_factory=list)

    def app(self) -> Starlette:
        async def hook(request: Request) -> Response:
            headers = {name.decode(): value.decode() for name, value in request.headers.raw}
            body = await request.body()
            answer = await self.post(headers, body)
            self.told.append(Message(headers, body, answer))
            path = self.folder / f"{len(self.told)}.json"
            path.with_suffix(".new").write_text(json.dumps({"headers": headers, "body": body.decode()}))
            path.with_suffix(".new").rename(path)
            return Response(answer.content, answer.status_code)

        return Starlette(routes=[Route("/hook", hook, methods=["POST"])])

    async def post(self, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        kept = {name: value for name, value in headers.items() if name.lower() not in OF_THE_WAY}
        return await self.http.post(f"/hooks/{self.source}", headers=kept, content=body)

    async def steps(self, order_no: str) -> AsyncIterator[tuple[str, bool, object]]:
        """What the relay made of the messages that the SDK has believed: name, whether it fits, and what there was. An
        Alipay notice of a refund tells the sum of all refunds: the relay takes no sum from it."""
        for message in self.told:
            said = (message.answer.status_code, message.answer.text)
            yield "the relay takes it, in the provider's words", self._thanks(*said), said
            again = await self.post(message.headers, message.body)
            yield "the same again is taken", self._thanks(again.status_code, again.text), again.text
            forged = await self.post(message.headers, message.forged)
            yield "a forged one is refused", 400 <= forged.status_code < 500, (forged.status_code, forged.text)
        rows = await self.pool.fetch(
            "SELECT f ->> 'kind' AS kind, f ->> 'order_no' AS order_no, (f ->> 'amount_minor')::bigint AS minor"
            " FROM inbox, jsonb_array_elements(facts) AS f WHERE source = $1", self.source,
        )  # fmt: skip
        read = {(row["kind"], row["order_no"], row["minor"]) for row in rows}
        payment = (PAID, order_no, 19_580)
        yield "the relay reads the payment, its order and amount", payment in read, read
        refund = (REFUNDED, order_no, 4_580 if self.source == "wechat" else None)
        yield "and the refund, and nothing else", read == {payment, refund}, read

    def _thanks(self, status: int, text: str) -> bool:
        """What ends the provider's repeats: 200 or 204 at WeChat Pay, the word `success` at Alipay."""
        return text == "success" if self.source == "alipay" else status in (200, 204)


@asynccontextmanager
async def hearing(source: str, folder: Path) -> AsyncIterator[Hearing]:
    name = f"oms_oracle_{secrets.token_hex(6)}"
    await administer(f"CREATE DATABASE {name} TEMPLATE {template()} {COPIED}")
    pool = await open_pool(at(name), max_size=4, application="oracles")
    try:
        # No Temporal: what the door does must not depend on it.
        nowhere = await lazy_client(f"{ports.LOOPBACK}:{ports.free_port()}")
        async with running(pool, nowhere, receivers=dict(RECEIVERS), url=at(name)) as relay:
            yield Hearing(source, relay.http, pool, folder)
    finally:
        await pool.close()
        await administer(f"DROP DATABASE {name} WITH (FORCE)")


def webhooks() -> Iterator[tuple[str, str]]:
    """For a library of Standard Webhooks: the secret, and what we would send to a subscriber."""
    body = '{"type":"order.paid","data":{"recipient":"张三"}}'
    headers = Webhook([SECRET]).sign("evt_1", datetime.now(UTC), body.encode())
    yield "secret", SECRET
    yield "ours", json.dumps({"headers": headers, "body": body})
