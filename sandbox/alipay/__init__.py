"""Alipay's gateway v2, as much of it as an order needs: QR payments, query, close, refunds, notifications,
the trade bill of a day.

Settings (environment prefix SANDBOX_ALIPAY_): APP_ID, SELLER_ID, MERCHANT_PUBLIC_KEY (PEM), PLATFORM_PRIVATE_KEY (PEM,
Alipay's own); optional REFUND_DELAY_S (30, divided by the speed: how long a pending refund takes) and ANNOUNCE_CLOSED
(1: notify TRADE_CLOSED after a full refund too, which face-to-face payment does not do by default).

World doors: `POST /_scan {out_trade_no}` (the buyer scans the code: only now there is a trade), `POST /_pay
{out_trade_no, late?, amount_minor?, notify_url?}` (scans if need be, and pays).

Fault operations: create, query, close, refund, query_refund, bill, callback; ids: order_no, refund_no (and kind for
callbacks). Own faults: unsigned, system_error (any call; the second commits, then answers ACQ.SYSTEM_ERROR),
not_enough, pending, fails (refund; the last two answer fund_change N and end later), wrong_amount, bad_signature
(callback). All errors come with HTTP 200, the gateway's own ones unsigned.
"""

from starlette.applications import Starlette

from sandbox.alipay.server import Server
from sandbox.core import Settings


def create_app(settings: Settings) -> Starlette:
    server = Server(settings)
    return server.box.app(server.routes(), on_start=server.resume)
