"""The four sources of callbacks, from configuration."""

import asyncio
import secrets
from collections.abc import Mapping

import structlog

from config import Settings, WechatSettings
from providers.callbacks import Receiver
from providers.kuaidi100.receiver import Kuaidi100Receiver
from providers.qimen import QimenConfig, QimenReceiver
from providers.tms.receiver import TmsReceiver
from providers.wechat import PlatformKeys, WechatConfig, WechatPay, WechatReceiver
from relay.settle import Clock
from telemetry import http_client

log = structlog.get_logger("relay")
CERTIFICATES_LOOK_S = 60.0


def receivers(settings: Settings, keys: PlatformKeys) -> Mapping[str, Receiver]:
    """By source name, which is the last part of the path. Raises `UnableToConfigure`."""
    qimen = settings.qimen
    all_of_them: tuple[Receiver, ...] = (
        WechatReceiver(wechat_config(settings.wechat), keys),
        QimenReceiver(QimenConfig(qimen.base_url, qimen.app_key, qimen.customer_id, qimen.secret.get_secret_value())),
        TmsReceiver([secret.get_secret_value() for secret in settings.tms.webhook_secrets]),
        Kuaidi100Receiver(settings.kuaidi100.salt.get_secret_value()),
    )
    return {receiver.source: receiver for receiver in all_of_them}


def wechat_config(wechat: WechatSettings) -> WechatConfig:
    return WechatConfig(
        base_url=wechat.base_url,
        mchid=wechat.mchid,
        appid=wechat.appid,
        serial_no=wechat.serial_no,
        private_key=wechat.private_key.get_secret_value(),
        apiv3_key=wechat.apiv3_key.get_secret_value(),
        platform_keys=wechat.platform_keys,
        notify_url=wechat.notify_url,
    )


async def keep_certificates(config: WechatConfig, keys: PlatformKeys, clock: Clock) -> None:
    """Certificate mode only: fetch the platform's certificates when due, for as long as the relay runs."""
    async with http_client("wechat") as http:
        pay = WechatPay(config, http, clock, lambda: secrets.token_hex(16), keys=keys)
        while True:
            try:
                await pay.refresh_keys()
            except Exception as failure:
                log.error("unable to fetch platform certificates", source="wechat", error=repr(failure)[:200])
            await asyncio.sleep(CERTIFICATES_LOOK_S)
