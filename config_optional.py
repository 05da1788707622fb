"""Partners that an installation may do without: Alipay, SF, and sources described by mapping files."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from config_reading import Group, Secret, UnableToConfigure, WebAddress, Word, listed, load, origin, variable
from domain.order import Address

G = TypeVar("G", bound=Group)


def _host_only(address: str) -> str:
    if address.count("/") > 2 or "?" in address:
        raise ValueError("must be the host only, without a path: it is the same for every call and added by us")
    return address


def _no_query(address: str) -> str:
    if "?" in address:
        raise ValueError("must have no query string: its parameters would count as signed ones")
    return address


Host = Annotated[WebAddress, AfterValidator(_host_only)]


class AlipaySettings(Group):
    """Alipay, gateway v2. Keys: PEM, or bare base64 as Alipay's tools write them. `seller_id`: 2088…, who is paid."""

    model_config = SettingsConfigDict(env_prefix="OMS_ALIPAY_")

    base_url: Host
    app_id: Word
    seller_id: Word
    private_key: Secret
    alipay_public_key: Word
    notify_url: Annotated[WebAddress, AfterValidator(_no_query)]


class SfSettings(Group):
    """SF Express. `sender`: JSON as the address of an order, printed on every waybill; `push_keys`: comma list, any of
    them behind the push address (`…/hooks/sf?key=`) opens, so that one can replace another."""

    model_config = SettingsConfigDict(env_prefix="OMS_SF_")

    base_url: Host
    partner_id: Word
    check_word: Secret
    monthly_card: Word
    sender: Address
    express_type: Annotated[int, Field(ge=1)] = 2
    push_keys: Annotated[tuple[Annotated[SecretStr, Field(min_length=24)], ...], NoDecode, Field(min_length=1)]

    @field_validator("push_keys", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return listed(value)


class GenericSettings(Group):
    """`sources`: comma list of mapping files (docs/contract/generic-source.md), one a source of callbacks."""

    model_config = SettingsConfigDict(env_prefix="OMS_GENERIC_")

    sources: Annotated[tuple[Word, ...], NoDecode] = ()

    @field_validator("sources", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return listed(value)


class NoticeSettings(Group):
    """Who is told of tickets: apprise URLs, as `providers.notices.channels.Channels` reads them."""

    model_config = SettingsConfigDict(env_prefix="OMS_NOTICE_")

    urls: Secret


class AuditSettings(Group):
    """Where the audit's chain is tied down outside the database (`oms audit verify`), and how often."""

    model_config = SettingsConfigDict(env_prefix="OMS_AUDIT_ANCHOR_")

    file: Word
    key: Annotated[SecretStr, Field(min_length=32)]
    every_s: Annotated[int, Field(ge=1, le=86_400)] = 300


def load_audit() -> AuditSettings | None:
    """None: the audit is not anchored, and a cut end would not show."""
    return load(AuditSettings) if origin("OMS_AUDIT_ANCHOR_FILE")[0] else None


def load_notices() -> NoticeSettings | None:
    """None: nobody is to be told."""
    return load(NoticeSettings) if origin("OMS_NOTICE_URLS")[0] else None


def load_if_given(group: type[G]) -> G | None:
    """The group when its BASE_URL is set, else None. Raises `UnableToConfigure` for one that is only partly given."""
    return load(group) if origin(variable(group, "base_url"))[0] else None


def named_secrets(names: tuple[str, ...], wanted_by: str) -> list[str]:
    """The values of variables that a mapping file names, each a comma list. Raises `UnableToConfigure`."""
    values: list[str] = []
    for name in names:
        found = listed(origin(name)[0])
        if not found:
            raise UnableToConfigure(f"not set: {name} (the source {wanted_by} is signed with it)")
        values += found
    return values
