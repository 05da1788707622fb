"""What the relay knows of the partners: with what their callbacks are verified. It calls none of them, so it has no key
of ours; WeChat Pay in certificate mode is the exception."""

from functools import cached_property
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from config.sources import Secret, SettingsGroup, WebAddress, Word, listed, load, origin, variable

G = TypeVar("G", bound=SettingsGroup)


class WechatReceiving(SettingsGroup):
    """`platform_keys`: serial → PEM public key, as JSON. Without them the relay fetches the platform's certificates,
    and for that alone has to sign as the merchant: `base_url`, `serial_no`, `private_key`."""

    model_config = SettingsConfigDict(env_prefix="OMS_WECHAT_")

    mchid: Word
    appid: Word
    apiv3_key: Annotated[SecretStr, Field(min_length=32, max_length=32)]
    platform_keys: dict[str, str] = Field(default_factory=dict)
    base_url: WebAddress | None = None
    serial_no: Word | None = None
    private_key: Secret | None = None

    @model_validator(mode="after")
    def _can_verify(self) -> Self:
        if not self.platform_keys and not (self.base_url and self.serial_no and self.private_key):
            raise ValueError(
                "PLATFORM_KEYS says with what callbacks are verified; without it BASE_URL, SERIAL_NO and PRIVATE_KEY "
                "have to be there, to fetch certificates with"
            )
        return self


class QimenReceiving(SettingsGroup):
    """The secret signs both ways."""

    model_config = SettingsConfigDict(env_prefix="OMS_QIMEN_")

    app_key: Word
    secret: Secret
    customer_id: Word


class TmsReceiving(SettingsGroup):
    model_config = SettingsConfigDict(env_prefix="OMS_TMS_")

    webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, Field(min_length=1)]

    @field_validator("webhook_secrets", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return listed(value)


class Kuaidi100Receiving(SettingsGroup):
    model_config = SettingsConfigDict(env_prefix="OMS_KUAIDI100_")

    salt: Secret


class AlipayReceiving(SettingsGroup):
    model_config = SettingsConfigDict(env_prefix="OMS_ALIPAY_")

    app_id: Word
    seller_id: Word
    alipay_public_key: Word


class SfReceiving(SettingsGroup):
    model_config = SettingsConfigDict(env_prefix="OMS_SF_")

    push_keys: Annotated[tuple[Annotated[SecretStr, Field(min_length=24)], ...], NoDecode, Field(min_length=1)]

    @field_validator("push_keys", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return listed(value)


class Receiving:
    """Each group is read when first asked for."""

    @cached_property
    def wechat(self) -> WechatReceiving:
        return load(WechatReceiving)

    @cached_property
    def qimen(self) -> QimenReceiving:
        return load(QimenReceiving)

    @cached_property
    def tms(self) -> TmsReceiving:
        return load(TmsReceiving)

    @cached_property
    def kuaidi100(self) -> Kuaidi100Receiving:
        return load(Kuaidi100Receiving)

    @cached_property
    def alipay(self) -> AlipayReceiving | None:
        return _if_given(AlipayReceiving)

    @cached_property
    def sf(self) -> SfReceiving | None:
        return _if_given(SfReceiving)


def _if_given(group: type[G]) -> G | None:
    """None where none of its variables is set. Raises `UnableToConfigure` for one that is only partly given."""
    return load(group) if any(origin(variable(group, name))[0] for name in group.model_fields) else None
