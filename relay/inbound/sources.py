"""The sources of callbacks, from configuration."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from config.optional import named_secrets
from config.settings import Settings, UnableToConfigure
from domain.clock import Clock
from provider_clients import alipay_config, qimen_config, wechat_config
from providers.alipay import AlipayReceiver
from providers.callbacks import Receiver
from providers.generic.loading import UnableToMap, load_mapping
from providers.generic.receiver import GenericReceiver
from providers.kuaidi100.receiver import Kuaidi100Receiver
from providers.qimen import QimenReceiver
from providers.sf.receiver import SfReceiver
from providers.standard_webhooks import BadWebhookSecret
from providers.tms.receiver import TmsReceiver
from providers.wechat import PlatformKeys, WechatConfig, WechatPay, WechatReceiver
from telemetry import http_client

log = structlog.get_logger("relay")
CERTIFICATES_LOOK_S = 60.0


def receivers(settings: Settings, keys: PlatformKeys) -> Mapping[str, Receiver]:
    """By source name, which is the last part of the path. Raises `UnableToConfigure`, also for two of one name."""
    found: dict[str, Receiver] = {}
    for receiver in (*_built_in(settings, keys), *_described(settings)):
        if receiver.source in found:
            raise UnableToConfigure(f"two sources of callbacks are called {receiver.source} (OMS_GENERIC_SOURCES)")
        found[receiver.source] = receiver
    return found


def _built_in(settings: Settings, keys: PlatformKeys) -> Iterator[Receiver]:
    yield WechatReceiver(wechat_config(settings.wechat), keys)
    yield QimenReceiver(qimen_config(settings))
    yield TmsReceiver([secret.get_secret_value() for secret in settings.tms.webhook_secrets])
    yield Kuaidi100Receiver(settings.kuaidi100.salt.get_secret_value())
    if settings.alipay:
        yield AlipayReceiver(alipay_config(settings.alipay))
    if settings.sf:
        yield SfReceiver([key.get_secret_value() for key in settings.sf.push_keys])


def _described(settings: Settings) -> Iterator[Receiver]:
    """Sources of which we know only a mapping file and the names of its secrets."""
    for file in settings.generic.sources:
        try:
            mapping = load_mapping(Path(file))
            yield GenericReceiver(mapping, named_secrets(mapping.secrets, mapping.source))
        except UnableToMap as why:
            raise UnableToConfigure(f"OMS_GENERIC_SOURCES: {why}") from None
        except BadWebhookSecret as why:
            raise UnableToConfigure(f"{' or '.join(mapping.secrets)}: {why}") from None


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
