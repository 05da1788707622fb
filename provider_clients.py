"""The clients of the outside systems, made from configuration; Alipay and SF only where they are configured."""

import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from activities import connectors as asking
from activities.access.api_keys import ApiIssuers
from activities.connectors import Connector
from activities.evidence import EvidenceService
from activities.money.bills import ReadBill
from activities.payment_channels import AlipayChannel, PaymentChannel, WechatChannel
from config.optional import AlipaySettings, AnchorCopySettings, EvidenceSettings, ObjectStoreSettings
from config.settings import Settings, UnableToConfigure, WechatSettings
from domain.access.api_tokens import SERVICE
from domain.access.buyer_links import LONGEST_LINK
from domain.clock import Clock
from domain.order import PayChannel
from providers.alipay import Alipay, AlipayConfig
from providers.kuaidi100.client import Kuaidi100, Kuaidi100Config
from providers.qimen import QimenConfig, QimenWms
from providers.sf.client import Sf
from providers.sf.gateway import SfConfig
from providers.sf.routes import CARRIER as SF_CARRIER
from providers.tms.client import TmsClient, TmsConfig
from providers.tokens.errors import UnusableKeys
from providers.tokens.keys import FetchedKeys, FileKeys, GivenKeys, KeySource, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier, nobody_else
from providers.wechat import CustomsPlace, WechatConfig, WechatPay
from store.audit.copies import AnchorCopies
from store.object_stores import S3Access
from store.polling.polling import Scope
from store.pool import Pool
from store.returns.evidence import EvidenceStore
from store.returns.evidence_storage import Vault

Http = Callable[[str], Awaitable[httpx.AsyncClient]]
"""A client for the system of this name."""


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


def payment_channels(settings: Settings, outside: Partners, clock: Clock) -> dict[PayChannel, PaymentChannel]:
    channels: dict[PayChannel, PaymentChannel] = {"wechat": WechatChannel(outside.wechat, settings.wechat.mchid, clock)}
    if outside.alipay and settings.alipay:
        channels["alipay"] = AlipayChannel(outside.alipay, settings.alipay.seller_id, clock)
    return channels


def trade_bills(outside: Partners) -> dict[str, ReadBill]:
    """How the bill of a day is read, by channel."""
    alipay: dict[str, ReadBill] = {"alipay": outside.alipay.trade_bill} if outside.alipay else {}
    return {"wechat": outside.wechat.trade_bill, **alipay}


def connectors(settings: Settings, outside: Partners, clock: Clock) -> dict[str, Connector]:
    """Who can be asked, about what, how, and how often about the same thing. A new channel is one entry here and its
    tick in `worker.loops`."""
    often = settings.pull
    wechat = asking.wechat(outside.wechat, settings.wechat.mchid, clock)
    of_sf = (SF_CARRIER,) if outside.sf else None
    parcels, spacing = Scope("kuaidi100", "parcels", without=of_sf), often.courier_spacing_s
    asked = {
        "wechat": Connector(Scope("wechat", "money"), wechat, _often(often.payment_tick_s)),
        "qimen": Connector(Scope("qimen", "outbounds"), asking.qimen(outside.qimen), _often(often.warehouse_tick_s)),
        "kuaidi100": Connector(parcels, asking.kuaidi100(outside.kuaidi100), spacing),
    }
    if outside.alipay and settings.alipay:
        alipay = asking.alipay(outside.alipay, settings.alipay.seller_id, clock)
        asked["alipay"] = Connector(Scope("alipay", "money"), alipay, _often(often.payment_tick_s))
    if outside.sf:
        asked["sf"] = Connector(Scope("sf", "parcels", carriers=of_sf), asking.sf(outside.sf), spacing)
    return asked


def _often(tick_s: int) -> int:
    """A little less than a tick, so that no tick just misses who was asked in the one before."""
    return max(1, tick_s * 4 // 5)


async def token_verifier(settings: Settings, http: Http, clock: Clock, books: "Pool | None" = None) -> TokenVerifier:
    """Whose tokens count: those of the local issuer, of the identity provider and of services, where they are
    configured. With none of them every token is refused. `books`: of who believes programs with API tokens as well.
    Raises `UnableToConfigure`."""
    issuers: list[Issuer] = []
    tokens, oidc = settings.tokens, settings.oidc
    try:
        if tokens.jwks:
            issuers.append(Issuer(tokens.issuer, tokens.audience, _keys(tokens.jwks)))
        if oidc is not None:
            fetched = oidc.jwks.startswith("https:")
            keys = FetchedKeys(await http("identity"), oidc.jwks, clock) if fetched else _keys(oidc.jwks)
            life = timedelta(seconds=oidc.longest_life_s)
            named = (oidc.person_claim, oidc.roles_claim, oidc.roles)
            issuers.append(Issuer(oidc.issuer, oidc.audience, keys, "oidc", *named, life))
        for name, given in settings.proofs.services.items():
            if name.startswith(SERVICE):
                raise UnableToConfigure(f"OMS_PROOFS_SERVICES: names that begin with {SERVICE} are those of API tokens")
            issuers.append(Issuer(name, tokens.audience, _keys(given), "service"))
    except UnusableKeys as error:
        raise UnableToConfigure(f"OMS_TOKENS_JWKS, OMS_OIDC_JWKS or OMS_PROOFS_SERVICES: {error}") from None
    if len({issuer.name for issuer in issuers}) < len(issuers):
        raise UnableToConfigure("two issuers of tokens have the same name")
    programs = nobody_else if books is None else ApiIssuers(books, tokens.audience, clock)
    return TokenVerifier(issuers, clock, programs)


def link_verifier(given: Mapping[str, str], audience: str, clock: Clock) -> TokenVerifier:
    """Whose links of buyers count. Raises `UnableToConfigure`."""
    try:
        issuers = [
            Issuer(name, audience, _keys(keys), "service", longest_life=LONGEST_LINK) for name, keys in given.items()
        ]
    except UnusableKeys as error:
        raise UnableToConfigure(f"OMS_CONSOLE_BUYER_LINKS: {error}") from None
    return TokenVerifier(issuers, clock)


def _keys(given: str) -> KeySource:
    if given.lstrip().startswith("{"):
        return GivenKeys(read_key_set(given))
    if "://" in given:
        raise UnableToConfigure("a key set is JSON, the name of a file, or an https address")
    return FileKeys(Path(given))


def _customs_place(wechat: WechatSettings) -> CustomsPlace | None:
    if wechat.customs_place is None or wechat.customs_merchant_no is None:
        return None
    return CustomsPlace(wechat.customs_place, wechat.customs_merchant_no, wechat.customs_base_url or "")


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
        customs=_customs_place(wechat),
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
    return QimenConfig(
        qimen.base_url, qimen.app_key, qimen.customer_id, qimen.secret.get_secret_value(),
        frozenset(code.upper() for code in qimen.duplicate_codes),
    )  # fmt: skip


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


def evidence_desk(settings: EvidenceSettings | None, pool: Pool) -> EvidenceService:
    """Raises `UnableToConfigure` when there is nowhere to put pictures."""
    if settings is None:
        raise UnableToConfigure("not set: OMS_EVIDENCE_URL (file:///folder or s3://bucket/prefix, for pictures)")
    return EvidenceService(EvidenceStore(pool), evidence_vault(settings))


def evidence_vault(settings: EvidenceSettings) -> Vault:
    """Raises `UnableToConfigure`."""
    try:
        return Vault.at(settings.url, s3_access(settings))
    except (ValueError, OSError) as error:
        raise UnableToConfigure(f"OMS_EVIDENCE_URL: {error}") from None


def anchor_copies(settings: AnchorCopySettings | None, key: bytes) -> AnchorCopies | None:
    """None: there are none. Raises `UnableToConfigure`."""
    if settings is None:
        return None
    try:
        return AnchorCopies.at(settings.url, key, s3_access(settings))
    except (ValueError, OSError) as error:
        raise UnableToConfigure(f"OMS_AUDIT_COPY_URL: {error}") from None


def s3_access(settings: ObjectStoreSettings) -> S3Access | None:
    if settings.s3_access_key_id is None or settings.s3_secret_access_key is None:
        return None
    return S3Access(
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key.get_secret_value(),
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
    )
