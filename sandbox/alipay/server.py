"""The gateway over the books, plus `POST /_scan` and `POST /_pay`, which play the buyer."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.alipay import bills, responses
from sandbox.alipay import request_checks as ask
from sandbox.alipay.crypto import Crypto
from sandbox.alipay.state import Denied, Refund, State, Trade, business
from sandbox.core import Delivery, Sandbox, Settings

SCHEDULE_S = (240, 600, 600, 3600, 7200, 21600, 54000)
"""Waits between the 8 attempts of one notification: 24 h 24 min in all."""
OWN_FAULTS = frozenset({"wrong_amount", "bad_signature", "pending", "fails", "not_enough", "unsigned", "system_error"})
REFUND_ENDS = {"pending": "SUCCESS", "fails": "FAILED"}
TEXT = "text/html;charset=utf-8"

Work = Callable[[dict[str, Any], str], dict[str, Any]]
"""biz_content and notify_url to the answer's own fields."""


class Server:
    def __init__(self, settings: Settings) -> None:
        self.seal = Crypto(settings)
        self.box = Sandbox(
            "alipay",
            settings,
            schedule=SCHEDULE_S,
            render=self._render,
            accepted=lambda status, body: status == 200 and body == b"success",
            fail=_failure,
            own_faults=OWN_FAULTS,
        )
        self._refund_delay_s = float(settings.get("REFUND_DELAY_S", "30"))
        self._announces_closed = settings.get("ANNOUNCE_CLOSED") == "1"
        self._url = ""
        """Under which it was asked last: where its files lie."""
        self.books = State(self.box.ledger)
        self.books.rebuild(self.box.ledger.rows)
        self._methods: Mapping[str, tuple[str, Work]] = {
            "alipay.trade.precreate": ("create", self._precreate),
            "alipay.trade.query": ("query", self._query),
            "alipay.trade.close": ("close", self._close),
            "alipay.trade.refund": ("refund", self._refund),
            "alipay.trade.fastpay.refund.query": ("query_refund", self._query_refund),
            "alipay.data.dataservice.bill.downloadurl.query": ("bill", self._bill),
        }

    def routes(self) -> list[Route]:
        return [
            Route("/gateway.do", self._gateway, methods=["GET", "POST"]),
            Route(bills.PATH, self._bill_file, methods=["GET"]),
            Route("/_scan", self._scan, methods=["POST"]),
            Route("/_pay", self._pay, methods=["POST"]),
        ]

    def resume(self) -> None:
        """Continue refunds that a former process left pending."""
        now = self.box.clock()
        for trade in self.books.trades.values():
            for refund in trade.refunds.values():
                if refund.status == "PROCESSING":
                    gone_s = (now - refund.accepted_at).total_seconds() * self.box.settings.speed
                    self._finish_later(refund, max(0.0, self._refund_delay_s - gone_s))

    async def _gateway(self, request: Request) -> Response:
        self._url = str(request.base_url).rstrip("/")
        query = request.scope["query_string"].decode("latin-1")
        given = dict(parse_qsl(f"{query}&{(await request.body()).decode('latin-1')}", keep_blank_values=True))
        method = given.get("method", "")
        try:
            self.seal.check(given)
            if method not in self._methods:
                raise Denied("40002", "isv.invalid-method", "no such method")
        except Denied as e:
            return Response(self.seal.reply("error", _told(e), signed=False), media_type=TEXT)
        operation, work = self._methods[method]
        ids = _ids(given["biz_content"])

        def signed_work() -> Response:
            unsigned = self.box.faults.take(operation, ids, only={"unsigned"})
            broken = self.box.faults.take(operation, ids, only={"system_error"})
            try:
                own = work(ask.biz_content(given["biz_content"]), given.get("notify_url", ""))
                if broken is not None:
                    raise business("SYSTEM_ERROR", "failure on demand, after the work was done")
                value = {"code": "10000", "msg": "Success", **own}
            except Denied as e:
                value = _told(e)
            return Response(self.seal.reply(method, value, signed=unsigned is None), media_type=TEXT)

        return await self.box.play(operation, ids, signed_work)

    def _precreate(self, asked: dict[str, Any], notify_url: str) -> dict[str, Any]:
        no, minor = ask.number(asked, "out_trade_no"), ask.minor(asked, "total_amount")
        ask.subject(asked)
        if asked.get("seller_id", self.seal.seller_id) != self.seal.seller_id:
            raise Denied("40004", "ACQ.INVALID_PARAMETER", "seller_id is not this application's merchant")
        expires_at = ask.time_expire(asked)
        if expires_at is not None and expires_at <= self.box.clock():
            raise Denied("40004", "ACQ.INVALID_PARAMETER", "time_expire has passed")
        trade = self.books.create(no, {**asked, "notify_url": ask.notify_url(notify_url)}, minor, expires_at)
        code = hashlib.sha256(trade.no.encode()).hexdigest()[:20]
        return {"out_trade_no": trade.no, "qr_code": f"https://qr.alipay.com/bax{code}"}

    def _query(self, asked: dict[str, Any], _url: str) -> dict[str, Any]:
        return responses.trade(self.books.find(self._number(asked), self.box.clock()))

    def _close(self, asked: dict[str, Any], _url: str) -> dict[str, Any]:
        trade = self.books.close(ask.number(asked, "out_trade_no"), self.box.clock())
        return {"out_trade_no": trade.no, "trade_no": trade.trade_no}

    def _refund(self, asked: dict[str, Any], _url: str) -> dict[str, Any]:
        no = self._number(asked)
        # Needed for a part of a trade only; without it a refund has the trade's own number.
        refund_no = ask.number(asked, "out_request_no") if "out_request_no" in asked else no
        minor, now, ids = ask.minor(asked, "refund_amount"), self.box.clock(), {"order_no": no, "refund_no": refund_no}
        if self.box.faults.take("refund", ids, only={"not_enough"}):
            raise business("SELLER_BALANCE_NOT_ENOUGH", "the merchant's balance does not cover the refund")
        is_known = no in self.books.trades and refund_no in self.books.trades[no].refunds
        fault = None if is_known else self.box.faults.take("refund", ids, only=REFUND_ENDS)
        ends = REFUND_ENDS[fault.fault] if fault else "SUCCESS"
        refund, is_new = self.books.refund(no, refund_no, minor, now, ends=ends)
        if is_new and fault is not None:
            self._finish_later(refund, self._refund_delay_s)
        elif is_new:
            self._finish(refund)
        return responses.refunded(self.books.trades[no], refund, moved=is_new and fault is None)

    def _number(self, asked: dict[str, Any]) -> str:
        """The merchant's number of a trade that is named by either number."""
        if "trade_no" not in asked:
            return ask.number(asked, "out_trade_no")
        named = (t.no for t in self.books.trades.values() if t.trade_no == asked["trade_no"])
        return next(named, "")

    def _query_refund(self, asked: dict[str, Any], _url: str) -> dict[str, Any]:
        trade = self.books.find(self._number(asked), self.box.clock())
        refund = trade.refunds.get(ask.number(asked, "out_request_no"))
        return responses.found_refund(trade, refund, asked.get("query_options"))

    def _bill(self, asked: dict[str, Any], _url: str) -> dict[str, Any]:
        day = str(asked.get("bill_date", ""))
        if asked.get("bill_type") != "trade":
            raise Denied("40004", "INVAILID_ARGUMENTS", "only bills of trades are served here")
        bills.bill(self.seal, self.books, day, self.box.clock())
        return {"bill_download_url": f"{self._url}{bills.PATH}?bizDates={day}"}

    async def _bill_file(self, request: Request) -> Response:
        content = bills.bill(self.seal, self.books, request.query_params["bizDates"], self.box.clock())
        return Response(content, media_type="application/zip")

    def _finish_later(self, refund: Refund, delay_s: float) -> None:
        self.box.later(delay_s, lambda: self._finish(refund))

    def _finish(self, refund: Refund) -> None:
        self.books.finish(refund, self.box.clock())
        trade = self.books.trades[refund.order_no]
        if refund.status == "SUCCESS" and (trade.state == "TRADE_SUCCESS" or self._announces_closed):
            self._announce(trade, refund)

    async def _scan(self, request: Request) -> Response:
        """{out_trade_no}: the buyer scans the code and looks at the price."""
        return await self._buyer(request, lambda asked: self._scanned(asked, late=False))

    async def _pay(self, request: Request) -> Response:
        """{out_trade_no, late?, amount_minor?, notify_url?}: the buyer pays.

        `amount_minor` differs from the order's only to play a wrong payment. For an order number that was never
        created, `amount_minor` and `notify_url` make the code first, as a shop's own checkout would.
        """
        return await self._buyer(request, self._paid)

    async def _buyer(self, request: Request, act: Callable[[dict[str, Any]], Trade]) -> Response:
        try:
            return JSONResponse(responses.trade(act(ask.biz_content((await request.body()).decode()))))
        except Denied as e:
            return JSONResponse(_told(e), status_code=400)
        except (TypeError, ValueError) as e:
            return JSONResponse({"code": "40004", "sub_msg": str(e)}, status_code=400)

    def _scanned(self, asked: dict[str, Any], *, late: bool) -> Trade:
        return self.books.scan(str(asked.get("out_trade_no", "")), _number("20", 28), self.box.clock(), late=late)

    def _paid(self, asked: dict[str, Any]) -> Trade:
        no, late, now = str(asked.get("out_trade_no", "")), asked.get("late") is True, self.box.clock()
        if no not in self.books.trades and "amount_minor" in asked and "notify_url" in asked:
            self.books.create(no, {"notify_url": str(asked["notify_url"])}, int(asked["amount_minor"]), None)
        trade = self._scanned(asked, late=late)
        self.books.capture(no, now, total=int(asked.get("amount_minor", trade.total)), late=late)
        self._announce(trade, None)
        return trade

    def _announce(self, trade: Trade, refund: Refund | None) -> None:
        notify_id = _number("20", 34)
        self.box.outbox.post(
            trade.state,
            trade.notify_url,
            responses.notice(self.seal, trade, refund, notify_id, self.box.clock()),
            order_no=trade.no,
            ids={"refund_no": refund.no} if refund else {},
            amount_minor=refund.amount_minor if refund else trade.total,
            callback_id=notify_id,
        )

    def _render(self, delivery: Delivery) -> tuple[Mapping[str, str], bytes]:
        fields = dict(delivery.payload)
        if delivery.fault == "wrong_amount":
            fields["total_amount"] = responses.yuan(ask.minor(fields, "total_amount") + 1)
        forged = delivery.fault == "bad_signature" and delivery.attempt == 0
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return headers, self.seal.form(fields, forged=forged)


def _told(denied: Denied) -> dict[str, Any]:
    msg = "Business Failed" if denied.code == "40004" else "Invalid Arguments"
    return {"code": denied.code, "msg": msg, "sub_code": denied.sub_code, "sub_msg": denied.message}


def _ids(biz_content: str) -> dict[str, str]:
    """What a fault may match on."""
    try:
        asked = ask.biz_content(biz_content)
    except Denied:
        return {}
    found = {"order_no": asked.get("out_trade_no"), "refund_no": asked.get("out_request_no")}
    return {name: str(value) for name, value in found.items() if value}


def _failure(status: int) -> Response:
    """The gateway's own troubles: HTTP 200 like everything else, and unsigned."""
    code, sub_code = ("40005", "isv.app-call-limited") if status == 429 else ("20000", "isp.unknow-error")
    value = {"error_response": {"code": code, "msg": "failure on demand", "sub_code": sub_code}}
    return Response(json.dumps(value).encode(), media_type=TEXT)


def _number(prefix: str, length: int) -> str:
    """Digits in the provider's manner."""
    rest = length - len(prefix)
    return f"{prefix}{uuid.uuid4().int % 10**rest:0{rest}d}"
