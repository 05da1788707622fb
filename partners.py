"""The clients of the outside systems, made from configuration; Alipay and SF only where they are configured."""

import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from config import Settings, WechatSettings
from config_optional import AlipaySettings
from providers.alipay import Alipay, AlipayConfig
from providers.kuaidi100.client import Kuaidi100, Kuaidi100Config
from providers.qimen import QimenConfig, QimenWms
from providers.sf.client import Sf
from providers.sf.gateway import SfConfig
from providers.tms.client import TmsClient, TmsConfig
from providers.wechat import WechatConfig, WechatPay

Http = Callable[[str], Awaitable[httpx.AsyncClient]]
"""A client for the system of this name."""
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Partners:
    wechat: WechatPay
    qimen: QimenWms
    tms: TmsClient
    kuaidi100: Kuaidi100
    alipay: Alipay | None
    sf: Sf | None


async def make_partners(settings: Settings, http: Http, clock: Clock) -> Partners:
    """Raises `UnableToConfigure` for missing or wrong settings."""
    tms, kuaidi100 = settings.tms, settings.kuaidi100
    alipay = settings.alipay
    tms_config = TmsConfig(
        base_url=tms.base_url,
        token=tms.token.get_secret_value(),
        webhook_secrets=tuple(s.get_secret_value() for s in tms.webhook_secrets),
    )
    kuaidi100_config = Kuaidi100Config(
        base_url=kuaidi100.base_url,
        customer=kuaidi100.customer,
        key=kuaidi100.key.get_secret_value(),
        salt=kuaidi100.salt.get_secret_value(),
        callback_url=kuaidi100.callback_url,
    )
    pay = WechatPay(wechat_config(settings.wechat), await http("wechat"), clock, lambda: secrets.token_hex(16))
    return Partners(
        wechat=pay,
        qimen=QimenWms(qimen_config(settings), await http("qimen"), clock),
        tms=TmsClient(tms_config, await http("tms")),
        kuaidi100=Kuaidi100(kuaidi100_config, await http("kuaidi100"), clock),
        alipay=Alipay(alipay_config(alipay), await http("alipay"), clock) if alipay else None,
        sf=await _sf(settings, http, clock),
    )


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


def alipay_config(alipay: AlipaySettings) -> AlipayConfig:
    return AlipayConfig(
        base_url=alipay.base_url,
        app_id=alipay.app_id,
        seller_id=alipay.seller_id,
        private_key=alipay.private_key.get_secret_value(),
        alipay_public_key=alipay.alipay_public_key,
        notify_url=alipay.notify_url,
    )


def qimen_config(settings: Settings) -> QimenConfig:
    qimen = settings.qimen
    return QimenConfig(qimen.base_url, qimen.app_key, qimen.customer_id, qimen.secret.get_secret_value())


async def _sf(settings: Settings, http: Http, clock: Clock) -> Sf | None:
    given = settings.sf
    if given is None:
        return None
    config = SfConfig(
        base_url=given.base_url,
        partner_id=given.partner_id,
        check_word=given.check_word.get_secret_value(),
        monthly_card=given.monthly_card,
        sender=given.sender,
        express_type=given.express_type,
    )
    return Sf(config, await http("sf"), clock, lambda: str(uuid.uuid4()))
