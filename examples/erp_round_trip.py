"""An ERP's round trip: an order goes in over HTTP; that it shipped, and a refund, come back as signed webhooks.

    export OMS_API_URL=http://127.0.0.1:8090/api/v1 OMS_API_TOKEN=oms_… ERP_WEBHOOK_SECRET=whsec_… ERP_PORT=8099
    python examples/erp_round_trip.py

`Erp` needs nothing of the orchestrator's code: copy it. docs/api.md says how to get a token,
docs/contract/subscriptions.md how the webhooks come.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any

MOST_BYTES = 20_000
FIVE_MINUTES_S = 300
TRIES = 5


class ApiRefused(Exception):
    """`problem`: as RFC 9457 has it."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status, self.problem = status, problem
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")


class Erp:
    """Sends orders, and keeps what it is told about them. `secret`: of the subscription, `whsec_…`."""

    def __init__(self, api_url: str, token: str, secret: str) -> None:
        self._api_url, self._token = api_url.rstrip("/"), token
        self._secret = base64.b64decode(secret.removeprefix("whsec_"))
        self._told: dict[str, dict[str, Any]] = {}
        self._news = Condition()

    # Out

    def change(self, path: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Asks again under the same key when it was not answered: it is done once. Raises `ApiRefused`."""
        for attempt in range(TRIES):
            try:
                return self._call("POST", path, body, {"idempotency-key": key})
            except ApiRefused as why:
                busy = why.status in (429, 503) or why.problem.get("code") == "UNDER_WAY"
                if not busy or attempt == TRIES - 1:
                    raise
            except urllib.error.URLError:
                if attempt == TRIES - 1:
                    raise
            time.sleep(2**attempt)
        raise AssertionError("unreachable")

    def read(self, path: str) -> dict[str, Any]:
        """Raises `ApiRefused`."""
        return self._call("GET", path)

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, more: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json", **(more or {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._api_url}{path}", data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:  # noqa: S310 - our own address
                told: dict[str, Any] = json.loads(answer.read())
                return told
        except urllib.error.HTTPError as error:
            raise ApiRefused(error.code, json.loads(error.read() or b"{}")) from None

    # In

    def heard(self, headers: Mapping[str, str], body: bytes) -> int:
        """One webhook; the status to answer. Verified before it is read, kept before it is thanked, counted once."""
        if not self._is_signed(headers, body):
            return 401
        with self._news:
            self._told.setdefault(headers["webhook-id"], json.loads(body))
            self._news.notify_all()
        return 204

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        number, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not at.isdigit() or abs(time.time() - int(at)) > FIVE_MINUTES_S:
            return False
        said = f"{number}.{at}.".encode() + body
        ours = base64.b64encode(hmac.new(self._secret, said, hashlib.sha256).digest()).decode()
        given = [text.partition(",") for text in headers.get("webhook-signature", "").split()]
        return any(kind == "v1" and hmac.compare_digest(text, ours) for kind, _, text in given)

    def wait_for(self, what: Callable[[dict[str, Any]], bool], timeout_s: float) -> dict[str, Any]:
        """The first event of that kind. Raises `TimeoutError`."""
        with self._news:
            if not self._news.wait_for(lambda: any(what(e) for e in self._told.values()), timeout_s):
                raise TimeoutError("nothing was told")
            return next(e for e in self._told.values() if what(e))

    def listen(self, port: int = 0) -> ThreadingHTTPServer:
        """A receiver on loopback; `server_port` says where. In production it stands behind TLS."""
        erp = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length) if 0 <= length <= MOST_BYTES else b""
                named = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(erp.heard(named, body) if body else 413)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_said: object) -> None:
                """Nothing: what comes here is told by who waits for it."""

        server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
        Thread(target=server.serve_forever, daemon=True).start()
        return server


TO = {"recipient": "李雷", "phone": "13800138000", "province": "浙江省", "city": "杭州市", "street": "文三路 1 号"}
CUP = {"line_id": "1", "sku": "CUP", "qty": 1, "unit_price_minor": 5_000, "tags": {"warehouse": "WH-EAST"}}


def an_order(number: str) -> dict[str, Any]:
    return {
        "order_no": number, "channel": "erp", "channel_order_no": f"ERP-{number}",
        "placed_at": datetime.now(UTC).isoformat(), "buyer": {"buyer_id": "B-1001"}, "address": TO, "lines": [CUP],
        "payable_minor": 5_000,
    }  # fmt: skip


def of(order_no: str, kind: str, **data: str) -> Callable[[dict[str, Any]], bool]:
    wanted = {"order_no": order_no, **data}
    return lambda event: event["type"] == kind and wanted.items() <= event["data"].items()


def main() -> int:
    erp = Erp(os.environ["OMS_API_URL"], os.environ["OMS_API_TOKEN"], os.environ["ERP_WEBHOOK_SECRET"])
    server = erp.listen(int(os.environ.get("ERP_PORT", "0")))
    number = f"ERP{int(time.time())}"
    placed = erp.change("/orders", an_order(number), f"{number}-place")
    sys.stdout.write(f"{number} is placed; pay {placed['payable_minor']} fen, code {placed['payment_code']}\n")
    sys.stdout.write(f"listening at http://127.0.0.1:{server.server_port}/ until it has shipped\n")
    shipped = erp.wait_for(of(number, "parcel.status_changed", to_status="SHIPPED"), 600)
    sys.stdout.write(f"shipped with waybill {shipped['data']['waybill_no']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
