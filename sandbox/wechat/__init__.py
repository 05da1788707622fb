"""WeChat Pay API v3, as much of it as an order needs: native and JSAPI payments, query, close, refunds,
callbacks, the trade bill of a day.

Settings (environment prefix SANDBOX_WECHAT_): MCHID, APPID, APIV3_KEY (32 bytes), MERCHANT_SERIAL,
MERCHANT_PUBLIC_KEY (PEM), PLATFORM_PRIVATE_KEY (PEM); optional PLATFORM_SERIAL (`PUB_KEY_ID_…`; without it
everything is signed in certificate mode) and REFUND_DELAY_S (30, divided by the speed).

Fault operations: create, query, close, refund, query_refund, certificates, tradebill, callback; ids: order_no,
refund_no (and kind for callbacks). Own faults: wrong_hash (tradebill), unsigned (any other call), not_enough, abnormal,
closed (refund), wrong_amount, bad_signature (callback).
"""

from starlette.applications import Starlette

from sandbox.core import Settings
from sandbox.wechat.server import Server


def create_app(settings: Settings) -> Starlette:
    server = Server(settings)
    return server.box.app(server.routes(), on_start=server.resume)
