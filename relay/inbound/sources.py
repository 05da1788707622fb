"""The sources of callbacks, from configuration."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import structlog

from config.optional import named_secrets
from config.receiving import AlipayReceiving, Receiving, WechatReceiving
from config.settings import UnableToConfigure
from domain.clock import Clock
from providers.alipay import AlipayConfig, AlipayReceiver
from providers.callbacks import Receiver
from providers.generic.loading import UnableToMap, load_mapping
from providers.generic.receiver import GenericReceiver
from providers.kuaidi100.receiver import Kuaidi100Receiver
from providers.qimen import QimenConfig, QimenReceiver
from providers.sf.receiver import SfReceiver
from providers.standard_webhooks import BadWebhookSecret
from providers.tms.receiver import TmsReceiver
from providers.wechat import PlatformKeys, WechatConfig, WechatPay, WechatReceiver
from telemetry import http_client

log = structlog.get_logger("relay")
CERTIFICATES_LOOK_S = 60.0
NO_CALLS = ""
"""In the place of an address: the relay calls nobody."""


def receivers(known: Receiving, described: Sequence[str], keys: PlatformKeys) -> Mapping[str, Receiver]:
    """By source name, which is the last part of the path. `described`: mapping files. Raises `UnableToConfigure`, also
    for two of one name."""
    found: dict[str, Receiver] = {}
    for receiver in (*_built_in(known, keys), *_described(described)):
        if receiver.source in found:
            raise UnableToConfigure(f"two sources of callbacks are called {receiver.source} (OMS_GENERIC_SOURCES)")
        found[receiver.source] = receiver
    return found


def _built_in(known: Receiving, keys: PlatformKeys) -> Iterator[Receiver]:
    yield WechatReceiver(wechat_inbound(known.wechat), keys)
    qimen = known.qimen
    yield QimenReceiver(QimenConfig(NO_CALLS, qimen.app_key, qimen.customer_id, qimen.secret.get_secret_value()))
    yield TmsReceiver([secret.get_secret_value() for secret in known.tms.webhook_secrets])
    yield Kuaidi100Receiver(known.kuaidi100.salt.get_secret_value())
    if known.alipay:
        yield AlipayReceiver(_alipay_inbound(known.alipay))
    if known.sf:
        yield SfReceiver([key.get_secret_value() for key in known.sf.push_keys])


def wechat_inbound(known: WechatReceiving) -> WechatConfig:
    """To verify with; in certificate mode also to fetch certificates with."""
    return WechatConfig(
        base_url=known.base_url or NO_CALLS,
        mchid=known.mchid,
        appid=known.appid,
        serial_no=known.serial_no or "",
        private_key=known.private_key.get_secret_value() if known.private_key else "",
        apiv3_key=known.apiv3_key.get_secret_value(),
        platform_keys=known.platform_keys,
        notify_url=NO_CALLS,
    )


def _alipay_inbound(known: AlipayReceiving) -> AlipayConfig:
    return AlipayConfig(
        base_url=NO_CALLS, app_id=known.app_id, seller_id=known.seller_id, private_key="",
        alipay_public_key=known.alipay_public_key, notify_url=NO_CALLS,
    )  # fmt: skip


def _described(files: Sequence[str]) -> Iterator[Receiver]:
    """Sources of which we know only a mapping file and the names of its secrets."""
    for file in files:
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
