"""A merchant, a payment platform and their keys, made for one test run; and a client that talks to the sandbox."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from domain.clock import Clock
from providers.wechat import WechatConfig, WechatPay, WechatPayment, WechatRefundRequest
from sandbox.core import Fault, Settings, serve
from sandbox.wechat.server import Server

MCHID, APPID, SERIAL = "1900000001", "wx0000000000000001", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
PLATFORM_ID = "PUB_KEY_ID_0100000000000000000000000001"
APIV3_KEY = "0123456789abcdef0123456789abcdef"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """One key pair per name and run; nothing is kept."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(name: str) -> str:
    kind = serialization.PrivateFormat.PKCS8
    return key(name).private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


def public_pem(name: str) -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key(name).public_key().public_bytes(serialization.Encoding.PEM, kind).decode()


def config(base_url: str = "http://127.0.0.1:9", *, certificates: bool = False, notify_url: str = "") -> WechatConfig:
    return WechatConfig(
        base_url=base_url,
        mchid=MCHID,
        appid=APPID,
        serial_no=SERIAL,
        private_key=private_pem("merchant"),
        apiv3_key=APIV3_KEY,
        platform_keys={} if certificates else {PLATFORM_ID: public_pem("platform")},
        notify_url=notify_url or "https://shop.example/hooks/wechat",
    )


@dataclass
class World:
    """`now` moves only when a test moves it; the sandbox and the client share it unless told otherwise."""

    pay: WechatPay
    server: Server
    http: httpx.AsyncClient
    url: str
    config: WechatConfig
    clock: "Hands"

    def arm(self, operation: str, fault: str, *, times: int = 1, delay_s: float | None = None) -> None:
        self.server.box.faults.arm(Fault(operation, fault, times=times, delay_s=delay_s))

    async def buyer_pays(self, order_no: str, **more: object) -> httpx.Response:
        return await self.http.post(f"{self.url}/_pay", json={"out_trade_no": order_no, **more})

    def rows(self, op: str) -> int:
        return len(self.server.box.ledger.find(op=op))


@dataclass
class Hands:
    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@contextlib.asynccontextmanager
async def world(
    *,
    certificates: bool = False,
    notify_url: str = "",
    data_dir: Path | None = None,
    speed: float = 1000.0,
    deadline_s: float = 5.0,
    refund_delay_s: float = 0.0,
    client_clock: Clock | None = None,
) -> AsyncIterator[World]:
    hands = Hands()
    values = {
        "MCHID": MCHID,
        "APPID": APPID,
        "APIV3_KEY": APIV3_KEY,
        "MERCHANT_SERIAL": SERIAL,
        "MERCHANT_PUBLIC_KEY": public_pem("merchant"),
        "PLATFORM_PRIVATE_KEY": private_pem("platform"),
        "PLATFORM_SERIAL": "" if certificates else PLATFORM_ID,
        "REFUND_DELAY_S": str(refund_delay_s),
    }
    server = Server(Settings(values, data_dir, speed, clock=hands))
    app = server.box.app(server.routes(), on_start=server.resume)
    async with serve(app) as url, httpx.AsyncClient(trust_env=False) as http:
        made = config(url, certificates=certificates, notify_url=notify_url)
        pay = WechatPay(made, http, client_clock or hands, lambda: secrets.token_hex(16), deadline_s=deadline_s)
        yield World(pay, server, http, url, made, hands)


def payment(order_no: str = "ORD-000001", amount_minor: int = 12900, openid: str | None = None) -> WechatPayment:
    return WechatPayment(
        order_no=order_no,
        description="两件商品",
        amount_minor=amount_minor,
        expires_at=datetime(2026, 3, 1, 10, 0, tzinfo=UTC),
        openid=openid,
    )


def refund(
    refund_no: str = "R-1", minor: int = 100, order_no: str = "ORD-000001", total: int = 12900
) -> WechatRefundRequest:
    return WechatRefundRequest(
        refund_no=refund_no, order_no=order_no, refund_minor=minor, total_minor=total, reason="测试"
    )
