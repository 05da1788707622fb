"""The trade bill of a day, as merchants fetch it: a signed reply that names a file and its SHA-1, then the file."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core import Sandbox
from sandbox.wechat.crypto import BadSignature, Crypto
from sandbox.wechat.state import Denied, Refund, State, Trade, stamp

COLUMNS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
Reply = Callable[..., Response]


class Bills:
    """`reply`: a signed one, of a status and a JSON value."""

    def __init__(self, seal: Crypto, box: Sandbox, books: State, reply: Reply) -> None:
        self._seal, self._box, self._books, self._reply = seal, box, books, reply

    def routes(self) -> list[Route]:
        return [
            Route("/v3/bill/tradebill", self._asked, methods=["GET"]),
            Route("/v3/billdownload/file", self._file, methods=["GET"]),
        ]

    async def _asked(self, request: Request) -> Response:
        serial = request.headers.get("wechatpay-serial", "")
        day = request.query_params.get("bill_date", "")
        if refused := self._refused(request):
            return refused

        def work() -> Response:
            try:
                content = self.bill(day)
            except Denied as e:
                return self._reply(e.status, {"code": e.code, "message": e.message}, serial)
            url = f"{str(request.base_url).rstrip('/')}/v3/billdownload/file?token={day}"
            digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
            if self._box.faults.take("tradebill", {"day": day}, only={"wrong_hash"}):
                digest = "0" * 40
            return self._reply(200, {"hash_type": "SHA1", "hash_value": digest, "download_url": url}, serial)

        return await self._box.play("tradebill", {"day": day}, work)

    async def _file(self, request: Request) -> Response:
        """Unsigned, as it comes from the real one."""
        if refused := self._refused(request):
            return refused
        return Response(self.bill(request.query_params["token"]), media_type="text/plain")

    def _refused(self, request: Request) -> Response | None:
        query = request.scope["query_string"].decode("latin-1")
        target = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        try:
            self._seal.check("GET", target, b"", request.headers.get("authorization", ""))
        except BadSignature as e:
            return JSONResponse({"code": "SIGN_ERROR", "message": str(e)}, status_code=401)
        return None

    def bill(self, day: str) -> bytes:
        """Of payments by when they were made, of refunds by when they were accepted. Raises `Denied`."""
        now = self._box.clock()
        if day >= stamp(now)[:10]:
            raise Denied(400, "INVALID_REQUEST", "the day is not over")
        rows = [row for trade in self._books.trades.values() for row in self._rows(trade, day)]
        if not rows:
            raise Denied(400, "NO_STATEMENT_EXIST", "no trade on this day")
        lines = [COLUMNS, *(",".join(f"`{value}" for value in row) for row in rows), SUMS]
        lines.append(",".join(f"`{value}" for value in (len(rows), *["0.00"] * 6)))
        return ("\r\n".join(lines) + "\r\n").encode()

    def _rows(self, trade: Trade, day: str) -> Iterator[list[str]]:
        if trade.success_time is not None and trade.success_time[:10] == day:
            yield self._row(trade, trade.success_time, None)
        for refund in trade.refunds:
            at = stamp(dt.datetime.fromisoformat(refund.at))
            if at[:10] == day:
                yield self._row(trade, at, refund)

    def _row(self, trade: Trade, at: str, refund: Refund | None) -> list[str]:
        given = (refund.refund_id, refund.no, _yuan(refund.amount_minor)) if refund else ("0", "0", "0.00")
        state = ("ORIGINAL", refund.status) if refund else ("", "")
        total = "0.00" if refund else _yuan(trade.total)
        return [
            at[:19].replace("T", " "), self._seal.appid, self._seal.mchid, "0", "", trade.transaction_id or "",
            trade.no, "o-sandbox-buyer", "NATIVE", "REFUND" if refund else "SUCCESS", "OTHERS", trade.currency, total,
            "0.00", *given, "0.00", *state, str(trade.asked.get("description", "")), "", "0.00000", "0.60%", total,
            given[2], "",
        ]  # fmt: skip


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
