"""The messenger that the settings name."""

from collections.abc import Mapping

import httpx

from domain.clock import Clock
from providers.messengers.dingtalk import DingTalk
from providers.messengers.feishu import Feishu
from providers.messengers.port import Messenger, MessengerApp, System
from providers.messengers.wecom import WeCom

KINDS: Mapping[System, type[WeCom] | type[DingTalk] | type[Feishu]] = {
    "wecom": WeCom, "dingtalk": DingTalk, "feishu": Feishu,
}  # fmt: skip


def messenger(app: MessengerApp, http: httpx.AsyncClient, clock: Clock) -> Messenger:
    return KINDS[app.system](app, http, clock)
