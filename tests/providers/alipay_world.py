"""A merchant, Alipay and their keys, made for one test run; and a client that talks to the sandbox."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from domain.clock import Clock
from providers.alipay import Alipay, AlipayConfig, AlipayPayment, AlipayRefundRequest
from sandbox.alipay.server import Server
from sandbox.core import Fault, Settings, serve
from tests.providers.wechat_world import Hands, private_pem, public_pem

APP_ID, SELLER_ID = "2021000000000001", "2088000000000011"
NO = "ORD-000001"


def config(base_url: str = "http://127.0.0.1:9", *, notify_url: str = "") -> AlipayConfig:
    return AlipayConfig(
        base_url=base_url,
        app_id=APP_ID,
        seller_id=SELLER_ID,
        private_key=private_pem("merchant"),
        alipay_public_key=public_pem("platform"),
        notify_url=notify_url or "https://shop.example/hooks/alipay",
    )


@dataclass
class World:
    """`now` moves only when a test moves it; the sandbox and the client share it unless told otherwise."""

    pay: Alipay
    server: Server
    http: httpx.AsyncClient
    url: str
    config: AlipayConfig
    clock: Hands

    def arm(self, operation: str, fault: str, *, times: int = 1, delay_s: float | None = None) -> None:
        self.server.box.faults.arm(Fault(operation, fault, times=times, delay_s=delay_s))

    async def buyer_scans(self, order_no: str = NO) -> httpx.Response:
        return await self.http.post(f"{self.url}/_scan", json={"out_trade_no": order_no})

    async def buyer_pays(self, order_no: str = NO, **more: object) -> httpx.Response:
        return await self.http.post(f"{self.url}/_pay", json={"out_trade_no": order_no, **more})

    async def paid(self, order_no: str = NO) -> None:
        await self.pay.create_qr(payment(order_no))
        assert (await self.buyer_pays(order_no)).status_code == 200

    def rows(self, op: str) -> int:
        return len(self.server.box.ledger.find(op=op))


@contextlib.asynccontextmanager
async def world(
    *,
    notify_url: str = "",
    data_dir: Path | None = None,
    speed: float = 1000.0,
    deadline_s: float = 5.0,
    refund_delay_s: float = 0.0,
    announce_closed: bool = False,
    client_clock: Clock | None = None,
) -> AsyncIterator[World]:
    hands = Hands()
    values = {
        "APP_ID": APP_ID,
        "SELLER_ID": SELLER_ID,
        "MERCHANT_PUBLIC_KEY": public_pem("merchant"),
        "PLATFORM_PRIVATE_KEY": private_pem("platform"),
        "REFUND_DELAY_S": str(refund_delay_s),
        "ANNOUNCE_CLOSED": "1" if announce_closed else "",
    }
    server = Server(Settings(values, data_dir, speed, clock=hands))
    app = server.box.app(server.routes(), on_start=server.resume)
    async with serve(app) as url, httpx.AsyncClient(trust_env=False) as http:
        made = config(url, notify_url=notify_url)
        pay = Alipay(made, http, client_clock or hands, deadline_s=deadline_s)
        yield World(pay, server, http, url, made, hands)


def payment(order_no: str = NO, amount_minor: int = 12900, description: str = "两件商品") -> AlipayPayment:
    return AlipayPayment(
        order_no=order_no,
        description=description,
        amount_minor=amount_minor,
        expires_at=datetime(2026, 3, 1, 10, 0, tzinfo=UTC),
    )


def refund(refund_no: str = "R-1", minor: int = 100, order_no: str = NO, total: int = 12900) -> AlipayRefundRequest:
    return AlipayRefundRequest(
        refund_no=refund_no, order_no=order_no, refund_minor=minor, total_minor=total, reason="测试"
    )
