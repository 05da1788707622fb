"""The outside systems' hands: messages about any order, signed as they sign, without their sandboxes' own story."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from deploy.local.generated import generated
from deploy.local.places import PORTS
from deploy.local.variables import sandbox_variables
from sandbox.core.road import Scan
from sandbox.core.settings import Settings, from_env
from sandbox.kuaidi100 import wire as kuaidi100
from sandbox.kuaidi100.parcels import Parcel
from sandbox.qimen import reports
from sandbox.qimen.books import Line, Order
from sandbox.qimen.wire import XML, local, signature
from sandbox.wechat.books import stamp
from sandbox.wechat.seal import Seal, notice

JSON = "application/json"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"


@dataclass(frozen=True)
class Signed:
    """One HTTP request to the relay's door `source`."""

    headers: Mapping[str, str]
    params: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Message:
    """What is told; `sign` signs it for the moment of sending, as providers do for every attempt. The same `body` is
    the same message: its hash is what both sides' ledgers know it by."""

    source: str
    order_no: str
    body: bytes
    sign: Callable[[datetime], Signed]

    @property
    def id(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class Hands:
    """`state`: the state folder of a local stack, which knows both sides' secrets."""

    def __init__(self, state: Path) -> None:
        keys = generated(state / "secrets.json")
        self._variables = sandbox_variables(PORTS, keys, state, {})
        self._salt = keys.kuaidi100_salt
        self._seal = Seal(self._settings("wechat"))

    def _settings(self, source: str) -> Settings:
        return from_env(source, self._variables)

    # --- payment -----------------------------------------------------------------------------------------------------

    def paid(self, order_no: str, amount_minor: int, at: datetime) -> Message:
        """WeChat: TRANSACTION.SUCCESS."""
        seal = self._seal
        total = {"total": amount_minor, "currency": "CNY", "payer_total": amount_minor, "payer_currency": "CNY"}
        resource = {
            "appid": seal.appid, "mchid": seal.mchid, "out_trade_no": order_no, "transaction_id": f"42{order_no}",
            "trade_type": "NATIVE", "trade_state": "SUCCESS", "trade_state_desc": "SUCCESS", "bank_type": "OTHERS",
            "success_time": stamp(at), "payer": {"openid": "o-buyer"}, "amount": total,
        }  # fmt: skip
        told = {
            "event_type": "TRANSACTION.SUCCESS", "create_time": stamp(at), "summary": "paid",
            "original_type": "transaction", "resource": resource,
        }  # fmt: skip
        body = notice(seal, told, f"EV-{order_no}")

        def sign(_: datetime) -> Signed:  # the seal has the same clock
            return Signed({**seal.sign(body), "content-type": JSON}, {}, body)

        return Message("wechat", order_no, body, sign)

    # --- warehouse ---------------------------------------------------------------------------------------------------

    def step(self, child_no: str, status: str, at: datetime, warehouse: str) -> Message:
        """Qimen: one step of the work, PICK or PACKAGE."""
        return self._qimen(reports.PROCESS, child_no, reports.process(_outbound(child_no, warehouse, at), status, at))

    def shipped(
        self, child_no: str, at: datetime, warehouse: str, waybill_no: str, lines: Sequence[tuple[str, str, int]]
    ) -> Message:
        """Qimen: the parcel is out. `lines`: line id, SKU, units."""
        order = _outbound(child_no, warehouse, at)
        order.lines = [Line(line_id, sku, qty, qty) for line_id, sku, qty in lines]
        order.waybill_no, order.carrier, order.stage = waybill_no, "YTO", "DELIVERED"
        return self._qimen(reports.CONFIRM, child_no, reports.confirm(order, at))

    def _qimen(self, method: str, child_no: str, body: bytes) -> Message:
        values = self._settings("qimen").values

        def sign(now: datetime) -> Signed:
            params = {
                "method": method, "timestamp": local(now), "format": "xml", "app_key": values["APP_KEY"], "v": "2.0",
                "sign_method": "md5", "customerId": values["CUSTOMER_ID"],
            }  # fmt: skip
            params["sign"] = signature(values["SECRET"], params, body)
            return Signed({"content-type": XML}, params, body)

        return Message("qimen", child_no.rpartition("-")[0], body, sign)

    # --- courier -----------------------------------------------------------------------------------------------------

    def scanned(self, order_no: str, waybill_no: str, scans: Sequence[Scan]) -> Message:
        """Kuaidi100: the whole picture so far, newest scan first."""
        parcel = Parcel(waybill_no, (), (), scans[0].at, scans=list(scans), carrier="yuantong")
        param = kuaidi100.compact(kuaidi100.push(parcel, "yuantong", advanced=True))
        body = urlencode({"sign": kuaidi100.md5(param + self._salt), "param": param}).encode()
        return Message("kuaidi100", order_no, body, lambda _: Signed({"content-type": FORM}, {}, body))


def _outbound(child_no: str, warehouse: str, at: datetime) -> Order:
    number = base64.b16encode(hashlib.sha256(child_no.encode()).digest()[:4]).decode()
    return Order(child_no, f"W{number}", warehouse, {}, [], "", at)
