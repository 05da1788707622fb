"""Genuine messages out of the inbox, sent again: signed anew as their source signs, so that a test spoils one thing."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs

from bench.signing import SignedRequest, Signers
from deploy.local.generated import generated
from providers.wechat.cipher import decrypt


@dataclass(frozen=True)
class SentMessage:
    """A message that was believed, as the inbox keeps it."""

    source: str
    event_id: str
    kind: str
    body: bytes


class Senders:
    """`state`: the state folder of the stack, which knows both sides' secrets."""

    def __init__(self, state: Path) -> None:
        self._signers = Signers.of_stack(state)
        self._apiv3_key = generated(state / "secrets.json").apiv3_key.encode()
        self._by_source: dict[str, Callable[[SentMessage, datetime, str], SignedRequest]] = {
            "wechat": self._wechat,
            "qimen": lambda told, at, account: self._signers.qimen(
                f"taobao.qimen.{told.kind}", told.body, at, app_key=account
            ),
            "tms": lambda told, at, _: self._signers.tms(told.event_id, told.body, at),
            "kuaidi100": lambda told, *_: self._signers.kuaidi100(parse_qs(told.body.decode())["param"][0]),
        }

    def again(self, told: SentMessage, at: datetime, account: str = "") -> SignedRequest:
        """The same message, sent at `at`; with `account` it is told about another merchant than us."""
        return self._by_source[told.source](told, at, account)

    def _wechat(self, told: SentMessage, at: datetime, account: str) -> SignedRequest:
        return self._signers.wechat(self._for_merchant(told.body, account) if account else told.body, at)

    def _for_merchant(self, body: bytes, account: str) -> bytes:
        notice = json.loads(body)
        sealed = {name: notice["resource"][name] for name in ("nonce", "associated_data", "ciphertext")}
        plain = json.loads(decrypt(self._apiv3_key, **sealed)) | {"mchid": account}
        seal = self._signers.wechat_seal
        notice["resource"] |= seal.encrypt(json.dumps(plain).encode(), sealed["associated_data"])
        return json.dumps(notice).encode()
