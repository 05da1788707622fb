"""The API v3 endpoints over the books, plus `POST /_pay`, which plays the buyer."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core import Delivery, Sandbox, Settings
from sandbox.core.server import HeaderName
from sandbox.wechat import request_checks as ask
from sandbox.wechat import responses
from sandbox.wechat.bills import Bills
from sandbox.wechat.crypto import BadSignature, Crypto, notice
from sandbox.wechat.state import REFUND_GAP_S, Denied, Refund, State, Trade, stamp

SCHEDULE_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
"""Waits between the 16 attempts of one callback: 24 h 4 min in all."""
OWN_FAULTS = frozenset(
    {"wrong_hash", "customs_fail", "wrong_amount", "bad_signature", "abnormal", "closed", "not_enough", "unsigned"}
)
REFUND_ENDS = {"abnormal": "ABNORMAL", "closed": "CLOSED"}

Work = Callable[[bytes, Mapping[str, str]], tuple[int, Any]]
"""Raw body and path parameters to status and JSON value (None: no body)."""


class Server:
    def __init__(self, settings: Settings) -> None:
        self.seal = Crypto(settings)
        self.box = Sandbox(
            "wechat",
            settings,
            schedule=SCHEDULE_S,
            render=self._render,
            accepted=lambda status, _body: status in (200, 204),
            fail=_failure,
            own_faults=OWN_FAULTS,
        )
        self._refund_delay_s = float(settings.get("REFUND_DELAY_S", "30"))
        self.books = State(self.box.ledger, gap_s=REFUND_GAP_S / settings.speed)
        self.books.rebuild(self.box.ledger.rows)

    def routes(self) -> list[Route]:
        order = "/v3/pay/transactions/out-trade-no/{no}"
        refunds = "/v3/refund/domestic/refunds"
        return [
            self._route("create", "POST", "/v3/pay/transactions/native", self._native),
            self._route("create", "POST", "/v3/pay/transactions/jsapi", self._jsapi),
            self._route("query", "GET", order, self._query),
            self._route("query", "GET", "/v3/pay/transactions/id/{transaction_id}", self._query_by_id),
            self._route("close", "POST", order + "/close", self._close),
            self._route("refund", "POST", refunds, self._refund),
            self._route("query_refund", "GET", refunds + "/{refund_no}", self._query_refund),
            self._route("declare", "POST", "/v3/global/customs/orders", self._declare),
            self._route("certificates", "GET", "/v3/certificates", lambda _b, _p: (200, self.seal.certificates())),
            *Bills(self.seal, self.box, self.books, self._reply).routes(),
            Route("/_pay", self._pay, methods=["POST"]),
        ]

    def resume(self) -> None:
        """Continue refunds that a former process left PROCESSING."""
        now = self.box.clock()
        for refund in self.books.refunds.values():
            if refund.status == "PROCESSING":
                gone_s = (now - dt.datetime.fromisoformat(refund.at)).total_seconds() * self.box.settings.speed
                self._finish_later(refund, max(0.0, self._refund_delay_s - gone_s))

    def _route(self, operation: str, method: str, path: str, work: Work) -> Route:
        async def endpoint(request: Request) -> Response:
            raw = await request.body()
            query = request.scope["query_string"].decode("latin-1")
            target = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
            serial = request.headers.get("wechatpay-serial", "")
            try:
                self.seal.check(method, target, raw, request.headers.get("authorization", ""))
            except BadSignature as e:
                return self._reply(401, {"code": "SIGN_ERROR", "message": str(e)}, serial)
            ids = _ids(raw, request.path_params)

            def signed_work() -> Response:
                unsigned = self.box.faults.take(operation, ids, only={"unsigned"})
                try:
                    status, value = work(raw, request.path_params)
                except Denied as e:
                    status, value = e.status, {"code": e.code, "message": e.message}
                return self._reply(status, value, serial, signed=unsigned is None)

            return await self.box.play(operation, ids, signed_work)

        return Route(path, endpoint, methods=[method])

    def _native(self, raw: bytes, _path: Mapping[str, str]) -> tuple[int, Any]:
        trade = self._create(raw, needs_payer=False)
        return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={_token(trade.no)}"}

    def _jsapi(self, raw: bytes, _path: Mapping[str, str]) -> tuple[int, Any]:
        trade = self._create(raw, needs_payer=True)
        return 200, {"prepay_id": f"wx{_token(trade.no)}"}

    def _create(self, raw: bytes, *, needs_payer: bool) -> Trade:
        asked = ask.body_of(raw)
        no = ask.payment(asked, needs_payer=needs_payer)
        if (asked.get("mchid"), asked.get("appid")) != (self.seal.mchid, self.seal.appid):
            raise Denied(400, "APPID_MCHID_NOT_MATCH", "appid and mchid do not belong together")
        return self.books.create(no, asked)

    def _query(self, _raw: bytes, path: Mapping[str, str]) -> tuple[int, Any]:
        return 200, responses.trade(self.seal, self.books.find(path["no"]))

    def _query_by_id(self, _raw: bytes, path: Mapping[str, str]) -> tuple[int, Any]:
        wanted = path["transaction_id"]
        found = next((t for t in self.books.trades.values() if t.transaction_id == wanted), None)
        if found is None:
            raise Denied(404, "ORDER_NOT_EXIST", "no such order")
        return 200, responses.trade(self.seal, found)

    def _close(self, raw: bytes, path: Mapping[str, str]) -> tuple[int, Any]:
        if ask.body_of(raw).get("mchid") != self.seal.mchid:
            raise Denied(400, "PARAM_ERROR", "missing or wrong: mchid")
        self.books.close(path["no"])
        return 204, None

    def _refund(self, raw: bytes, _path: Mapping[str, str]) -> tuple[int, Any]:
        asked = ask.body_of(raw)
        ask.refund(asked)
        ids = {"order_no": str(asked.get("out_trade_no", "")), "refund_no": asked["out_refund_no"]}
        if self.box.faults.take("refund", ids, only={"not_enough"}):
            raise Denied(403, "NOT_ENOUGH", "the merchant's balance does not cover the refund")
        is_known = asked["out_refund_no"] in self.books.refunds
        fault = None if is_known else self.box.faults.take("refund", ids, only=REFUND_ENDS)
        ends = REFUND_ENDS[fault.fault] if fault else "SUCCESS"
        refund, is_new = self.books.refund(asked, _number("503"), self.box.clock(), ends=ends)
        if is_new:
            self._finish_later(refund, self._refund_delay_s)
        return 200, responses.refund(self.books.trades[refund.order_no], refund)

    def _query_refund(self, _raw: bytes, path: Mapping[str, str]) -> tuple[int, Any]:
        refund = self.books.refunds.get(path["refund_no"])
        if refund is None:
            raise Denied(404, "RESOURCE_NOT_EXISTS", "no such refund")
        return 200, responses.refund(self.books.trades[refund.order_no], refund)

    def _declare(self, raw: bytes, _path: Mapping[str, str]) -> tuple[int, Any]:
        asked = ask.body_of(raw)
        ask.customs(asked)
        if (asked.get("mchid"), asked.get("appid")) != (self.seal.mchid, self.seal.appid):
            raise Denied(400, "APPID_MCHID_NOT_MATCH", "appid and mchid do not belong together")
        ids = {"order_no": asked["out_trade_no"]}
        fault = self.box.faults.take("declare", ids, only={"customs_fail"})
        return 200, responses.customs(self.books.declare(asked), failed=fault is not None)

    def _finish_later(self, refund: Refund, delay_s: float) -> None:
        def finish() -> None:
            self.books.finish(refund, self.box.clock())
            self._announce_refund(refund)

        self.box.later(delay_s, finish)

    async def _pay(self, request: Request) -> Response:
        """{out_trade_no, late?, amount_minor?, currency?, notify_url?}: the buyer pays.

        `amount_minor` and `currency` differ from the order's only to play a wrong payment. For an order number that was
        never created, `amount_minor` and `notify_url` make the trade first, as a shop's own checkout would.
        """
        try:
            trade = self._capture(ask.body_of(await request.body()))
        except Denied as e:
            return JSONResponse({"code": e.code, "message": e.message}, status_code=e.status)
        except (TypeError, ValueError) as e:
            return JSONResponse({"code": "PARAM_ERROR", "message": str(e)}, status_code=400)
        value = responses.trade(self.seal, trade)
        self._announce("TRANSACTION.SUCCESS", "transaction", trade.notify_url, trade.no, trade.total, value)
        return JSONResponse(value)

    def _capture(self, asked: dict[str, Any]) -> Trade:
        no = str(asked.get("out_trade_no", ""))
        if no not in self.books.trades and "amount_minor" in asked and "notify_url" in asked:
            amount = {"total": int(asked["amount_minor"]), "currency": str(asked.get("currency", "CNY"))}
            self.books.create(no, {"amount": amount, "notify_url": str(asked["notify_url"])})
        trade = self.books.find(no)
        return self.books.capture(
            no,
            _number("42000"),
            self.box.clock(),
            total=int(asked.get("amount_minor", trade.total)),
            currency=str(asked.get("currency", trade.currency)),
            late=asked.get("late") is True,
        )

    def _announce_refund(self, refund: Refund) -> None:
        trade = self.books.trades[refund.order_no]
        resource = responses.refund_notice(self.seal, trade, refund)
        kind = f"REFUND.{refund.status}"
        self._announce(kind, "refund", refund.notify_url, trade.no, refund.amount_minor, resource, refund_no=refund.no)

    def _announce(
        self, kind: str, original_type: str, url: str, no: str, minor: int, resource: dict[str, Any], **ids: str
    ) -> None:
        payload = {
            "event_type": kind,
            "original_type": original_type,
            "summary": kind,
            "create_time": stamp(self.box.clock()),
            "resource": resource,
        }
        self.box.outbox.post(
            kind, url, payload, order_no=no, ids=ids, amount_minor=minor, callback_id=str(uuid.uuid4())
        )

    def _render(self, delivery: Delivery) -> tuple[Mapping[str, str], bytes]:
        payload = delivery.payload
        if delivery.fault == "wrong_amount":
            payload = json.loads(json.dumps(payload))
            payload["resource"]["amount"]["total"] += 1
        body = notice(self.seal, payload, delivery.id)
        headers = {"Content-Type": "application/json", **self.seal.sign(body)}
        if delivery.fault == "bad_signature" and delivery.attempt == 0:
            headers.update({"Wechatpay-Signature": self.seal.sign(b"something else")["Wechatpay-Signature"]})
        return headers, body

    def _reply(self, status: int, value: Any, asked_serial: str, *, signed: bool = True) -> Response:
        body = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
        headers = self.seal.sign(body, asked_serial=asked_serial or self.seal.certificate_serial) if signed else {}
        reply = Response(body, status_code=status, media_type="application/json")
        # As the real one writes them: SDKs that look them up by their exact name find them.
        reply.raw_headers += [(HeaderName(name.encode()), value.encode()) for name, value in headers.items()]
        return reply


def _ids(raw: bytes, path: Mapping[str, str]) -> dict[str, str]:
    """What a fault may match on, from wherever the call names it."""
    try:
        body = ask.body_of(raw) if raw else {}
    except Denied:
        body = {}
    found = {
        "order_no": path.get("no") or body.get("out_trade_no"),
        "refund_no": path.get("refund_no") or body.get("out_refund_no"),
    }
    return {name: str(value) for name, value in found.items() if value}


def _failure(status: int) -> Response:
    code = "FREQUENCY_LIMITED" if status == 429 else "SYSTEM_ERROR"
    return JSONResponse({"code": code, "message": "failure on demand"}, status_code=status)


def _token(no: str) -> str:
    return hashlib.sha256(no.encode()).hexdigest()[:16]


def _number(prefix: str) -> str:
    """A 28-digit id in the provider's manner."""
    return f"{prefix}{uuid.uuid4().int % 10 ** (28 - len(prefix)):0{28 - len(prefix)}d}"
