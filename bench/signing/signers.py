"""One installation's secrets on the senders' side, and what each of seven sources makes of a body with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from deploy.local.generated import generated
from deploy.local.places import PORTS
from deploy.local.variables import PROVIDERS, sandbox_variables
from sandbox.alipay.crypto import Crypto as AlipaySeal
from sandbox.core.settings import from_env
from sandbox.kuaidi100.wire import md5
from sandbox.qimen.wire import XML, local, signature
from sandbox.tms.webhooks import signed_headers
from sandbox.wechat.crypto import Crypto as WechatSeal
from sandbox.wechat.crypto import notice
from sandbox.wechat.state import stamp

JSON = "application/json"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"


@dataclass(frozen=True)
class SignedRequest:
    """One HTTP request to the relay at `/hooks/{source}`."""

    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Signers:
    """`variables`: what the sandboxes of one installation are started with, `SANDBOX_<NAME>_<SETTING>`."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._settings = {source: from_env(source, variables) for source in PROVIDERS}
        self._at: datetime | None = None

    @classmethod
    def of_stack(cls, state: Path) -> Self:
        """Of the local stack in this state folder, which keeps both sides' secrets."""
        return cls(sandbox_variables(PORTS, generated(state / "secrets.json"), state, {}))

    # --- payment -----------------------------------------------------------------------------------------------------

    def wechat(self, body: bytes, at: datetime) -> SignedRequest:
        self._at = at
        return SignedRequest({**self.wechat_seal.sign(body), "content-type": JSON}, {}, body)

    @cached_property
    def wechat_seal(self) -> WechatSeal:
        """Its clock stands at the moment that is signed for."""
        settings = self._settings["wechat"]
        return WechatSeal(replace(settings, clock=lambda: self._at or settings.clock()))

    def wechat_payment(self, order_no: str, amount_minor: int, at: datetime, mchid: str = "") -> bytes:
        """TRANSACTION.SUCCESS, sealed."""
        seal = self.wechat_seal
        total = {"total": amount_minor, "currency": "CNY", "payer_total": amount_minor, "payer_currency": "CNY"}
        resource = {
            "appid": seal.appid, "mchid": mchid or seal.mchid, "out_trade_no": order_no,
            "transaction_id": f"42{order_no}", "trade_type": "NATIVE", "trade_state": "SUCCESS",
            "trade_state_desc": "SUCCESS", "bank_type": "OTHERS", "success_time": stamp(at),
            "payer": {"openid": "o-buyer"}, "amount": total,
        }  # fmt: skip
        told: dict[str, Any] = {
            "event_type": "TRANSACTION.SUCCESS", "create_time": stamp(at), "summary": "paid",
            "original_type": "transaction", "resource": resource,
        }  # fmt: skip
        return notice(seal, told, f"EV-{order_no}")

    def alipay(self, fields: Mapping[str, str]) -> SignedRequest:
        """Alipay signs fields, not bytes; the time of sending is one of them."""
        return SignedRequest({"content-type": FORM}, {}, AlipaySeal(self._settings["alipay"]).form(fields))

    # --- warehouse ---------------------------------------------------------------------------------------------------

    def qimen(self, method: str, body: bytes, at: datetime, app_key: str = "") -> SignedRequest:
        """`method`: with its `taobao.qimen.`; `app_key`: whose message it claims to be, else ours."""
        values = self._settings["qimen"].values
        params = {
            "method": method, "timestamp": local(at), "format": "xml", "app_key": app_key or values["APP_KEY"],
            "v": "2.0", "sign_method": "md5", "customerId": values["CUSTOMER_ID"],
        }  # fmt: skip
        params["sign"] = signature(values["SECRET"], params, body)
        return SignedRequest({"content-type": XML}, params, body)

    # --- carrier and couriers ----------------------------------------------------------------------------------------

    def tms(self, message_id: str, body: bytes, at: datetime) -> SignedRequest:
        """By Standard Webhooks, as a source that a mapping describes may do too."""
        secrets = self._settings["tms"].need("WEBHOOK_SECRETS").split(",")
        return SignedRequest({**signed_headers(message_id, body, secrets, at), "content-type": JSON}, {}, body)

    def kuaidi100(self, param: str) -> SignedRequest:
        """The salt that we gave it signs the text of the picture; nothing in it is a time of sending."""
        sign = md5(param + self._settings["kuaidi100"].need("SALT"))
        return SignedRequest({"content-type": FORM}, {}, urlencode({"sign": sign, "param": param}).encode())

    def sf(self, body: bytes) -> SignedRequest:
        """The secret stands in the address; nothing is signed."""
        return SignedRequest(
            {"content-type": JSON}, {"key": self._settings["sf"].need("PUSH_KEYS").split(",")[0]}, body
        )
