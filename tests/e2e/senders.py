"""The outside systems' own hands: genuine messages signed as they sign, so that a test can spoil exactly one thing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from deploy.local.generated import generated
from deploy.local.places import PORTS
from deploy.local.variables import sandbox_variables
from providers.wechat.cipher import decrypt
from sandbox.core import Delivery
from sandbox.core.settings import Settings, from_env
from sandbox.kuaidi100.wire import md5
from sandbox.qimen.wire import XML, local, signature
from sandbox.tms.webhooks import render
from sandbox.wechat.seal import Seal

Changes = Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """A message that was believed, as the inbox keeps it."""

    source: str
    event_id: str
    kind: str
    body: bytes


@dataclass(frozen=True)
class Message:
    headers: Mapping[str, str]
    params: Mapping[str, str]
    body: bytes


class Senders:
    """`state`: the state folder of the stack, which knows both sides' secrets."""

    def __init__(self, state: Path) -> None:
        self._keys = generated(state / "secrets.json")
        self._variables = sandbox_variables(PORTS, self._keys, state, {})
        self._by_source: dict[str, Callable[[Told, datetime, str], Message]] = {
            "wechat": self._wechat,
            "qimen": self._qimen,
            "tms": self._tms,
            "kuaidi100": self._kuaidi100,
        }

    def again(self, told: Told, at: datetime, account: str = "") -> Message:
        """The same message, sent at `at`; with `account` it is told about another merchant than us."""
        return self._by_source[told.source](told, at, account)

    def _settings(self, source: str) -> Settings:
        return from_env(source, self._variables)

    def _wechat(self, told: Told, at: datetime, account: str) -> Message:
        seal = Seal(replace(self._settings("wechat"), clock=lambda: at))
        body = self._for_merchant(seal, told.body, account) if account else told.body
        headers = {**seal.sign(body), "content-type": "application/json"}
        return Message(headers, {}, body)

    def _for_merchant(self, seal: Seal, body: bytes, account: str) -> bytes:
        notice = json.loads(body)
        sealed = {name: notice["resource"][name] for name in ("nonce", "associated_data", "ciphertext")}
        plain = json.loads(decrypt(self._keys.apiv3_key.encode(), **sealed)) | {"mchid": account}
        notice["resource"] |= seal.encrypt(json.dumps(plain).encode(), sealed["associated_data"])
        return json.dumps(notice).encode()

    def _qimen(self, told: Told, at: datetime, account: str) -> Message:
        values = self._settings("qimen").values
        params = {
            "method": f"taobao.qimen.{told.kind}",
            "timestamp": local(at),
            "format": "xml",
            "app_key": account or values["APP_KEY"],
            "v": "2.0",
            "sign_method": "md5",
            "customerId": values["CUSTOMER_ID"],
        }
        params["sign"] = signature(values["SECRET"], params, told.body)
        return Message({"content-type": XML}, params, told.body)

    def _tms(self, told: Told, at: datetime, account: str) -> Message:
        delivery = Delivery(told.event_id.removeprefix("msg_"), told.kind, "", json.loads(told.body))
        headers, body = render(delivery, [self._keys.tms_webhook_secret], at)
        return Message(headers, {}, body)

    def _kuaidi100(self, told: Told, at: datetime, account: str) -> Message:
        param = parse_qs(told.body.decode())["param"][0]
        body = urlencode({"sign": md5(param + self._keys.kuaidi100_salt), "param": param}).encode()
        return Message({"content-type": "application/x-www-form-urlencoded"}, {}, body)
