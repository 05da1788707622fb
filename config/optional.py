"""What an installation may do without: Alipay, SF, sources described by mapping files, notices, approvers' tokens, …"""

from functools import cached_property
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from config.codec_server import CodecServerSettings
from config.console import ConsoleSettings, IssuerSettings, ProviderSettings, load_provider
from config.payload_keys import load_payload_keys
from config.proofs import ProofSettings
from config.seals import load_seals
from config.sources import (
    Secret,
    SettingsGroup,
    UnableToConfigure,
    WebAddress,
    Word,
    listed,
    load,
    origin,
    variable,
)
from domain.approvals import Role
from domain.order import Address
from domain.trust.encryption import PayloadKeys
from domain.trust.seals import KeyRing

G = TypeVar("G", bound=SettingsGroup)


def _host_only(address: str) -> str:
    if address.count("/") > 2 or "?" in address:
        raise ValueError("must be the host only, without a path: it is the same for every call and added by us")
    return address


def _no_query(address: str) -> str:
    if "?" in address:
        raise ValueError("must have no query string: its parameters would count as signed ones")
    return address


Host = Annotated[WebAddress, AfterValidator(_host_only)]


class AlipaySettings(SettingsGroup):
    """Alipay, gateway v2. Keys: PEM, or bare base64 as Alipay's tools write them. `seller_id`: 2088…, who is paid."""

    model_config = SettingsConfigDict(env_prefix="OMS_ALIPAY_")

    base_url: Host
    app_id: Word
    seller_id: Word
    private_key: Secret
    alipay_public_key: Word
    notify_url: Annotated[WebAddress, AfterValidator(_no_query)]


class SfSettings(SettingsGroup):
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


class GenericSettings(SettingsGroup):
    """`sources`: comma list of mapping files (docs/contract/generic-source.md), one a source of callbacks."""

    model_config = SettingsConfigDict(env_prefix="OMS_GENERIC_")

    sources: Annotated[tuple[Word, ...], NoDecode] = ()

    @field_validator("sources", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return listed(value)


class NoticeSettings(SettingsGroup):
    """Who is told of tickets: apprise URLs, as `providers.notices.channels.Channels` reads them."""

    model_config = SettingsConfigDict(env_prefix="OMS_NOTICE_")

    urls: Secret


class AuditSettings(SettingsGroup):
    """Where the audit's chain is tied down outside the database (`oms audit verify`), and how often."""

    model_config = SettingsConfigDict(env_prefix="OMS_AUDIT_ANCHOR_")

    file: Word
    key: Annotated[SecretStr, Field(min_length=32)]
    every_s: Annotated[int, Field(ge=1, le=86_400)] = 300


class ObjectStoreSettings(BaseModel):
    """`url`: file:///folder or s3://bucket/prefix; the `s3_` ones only for a store that is not Amazon's or has keys of
    its own (else they are found where Amazon's tools look)."""

    url: Word
    s3_endpoint: WebAddress | None = None
    s3_region: Word = "us-east-1"
    s3_access_key_id: Word | None = None
    s3_secret_access_key: Secret | None = None

    @model_validator(mode="after")
    def _keys_together(self) -> Self:
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            raise ValueError("S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY come together")
        if self.s3_endpoint is not None and self.s3_access_key_id is None:
            raise ValueError("S3_ENDPOINT wants S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY")
        return self


class EvidenceSettings(ObjectStoreSettings, SettingsGroup):
    """Where pictures of after-sales cases lie."""

    model_config = SettingsConfigDict(env_prefix="OMS_EVIDENCE_")


class AnchorCopySettings(ObjectStoreSettings, SettingsGroup):
    """Where the audit's anchors lie a second time, best where nothing can be deleted (S3 object lock)."""

    model_config = SettingsConfigDict(env_prefix="OMS_AUDIT_COPY_")


def load_evidence() -> EvidenceSettings | None:
    """None: pictures cannot be taken, so only cancellations before shipping can be applied for."""
    return load(EvidenceSettings) if origin("OMS_EVIDENCE_URL")[0] else None


def load_audit() -> AuditSettings | None:
    """None: the audit is not anchored, and a cut end would not show."""
    return load(AuditSettings) if origin("OMS_AUDIT_ANCHOR_FILE")[0] else None


def load_anchor_copy() -> AnchorCopySettings | None:
    """None: who can cut the audit and the anchor's file together is not found out."""
    return load(AnchorCopySettings) if origin("OMS_AUDIT_COPY_URL")[0] else None


def load_notices() -> NoticeSettings | None:
    """None: nobody is to be told."""
    return load(NoticeSettings) if origin("OMS_NOTICE_URLS")[0] else None


class TokenSettings(SettingsGroup):
    """The local issuer of approvers' tokens. `private_key`: only where tokens are made (`oms token issue`); `jwks`: its
    public half, as JSON or as the name of a file (`oms token jwks`), where tokens are verified."""

    model_config = SettingsConfigDict(env_prefix="OMS_TOKENS_")

    issuer: Word = "oms-local"
    audience: Word = "oms-approvals"
    jwks: str = ""
    private_key: Secret | None = None
    life_s: Annotated[int, Field(ge=10, le=900)] = 300


class ServiceSettings(SettingsGroup):
    """Of a backend that signs its own commands, never of worker or relay. Its name and public key stand in
    OMS_PROOFS_SERVICES of the worker."""

    model_config = SettingsConfigDict(env_prefix="OMS_SERVICE_")

    name: Word
    private_key: Secret


class OidcSettings(SettingsGroup):
    """An identity provider whose tokens approve. `jwks`: https address or file; `roles`: JSON of its words to ours,
    read in `roles_claim` (a path like realm_access.roles); without that claim our own books tell the roles."""

    model_config = SettingsConfigDict(env_prefix="OMS_OIDC_")

    issuer: Word
    audience: Word
    jwks: Word
    person_claim: Word = "sub"
    roles_claim: Word | None = None
    roles: dict[str, Role] = Field(default_factory=dict)
    longest_life_s: Annotated[int, Field(ge=60, le=86_400)] = 3_600


def load_service() -> ServiceSettings | None:
    """None: whoever runs here is no backend."""
    return load(ServiceSettings) if origin("OMS_SERVICE_NAME")[0] else None


def load_oidc() -> OidcSettings | None:
    """None when no issuer is named. Raises `UnableToConfigure` when it is only partly given."""
    return load(OidcSettings) if origin("OMS_OIDC_ISSUER")[0] else None


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


class OptionalSettings:
    """The groups of this file, each read when first asked for."""

    @cached_property
    def alipay(self) -> AlipaySettings | None:
        return load_if_given(AlipaySettings)

    @cached_property
    def sf(self) -> SfSettings | None:
        return load_if_given(SfSettings)

    @cached_property
    def tokens(self) -> TokenSettings:
        return load(TokenSettings)

    @cached_property
    def proofs(self) -> ProofSettings:
        return load(ProofSettings)

    @cached_property
    def oidc(self) -> OidcSettings | None:
        return load_oidc()

    @cached_property
    def generic(self) -> GenericSettings:
        return load(GenericSettings)

    @cached_property
    def notices(self) -> NoticeSettings | None:
        return load_notices()

    @cached_property
    def audit(self) -> AuditSettings | None:
        return load_audit()

    @cached_property
    def anchor_copy(self) -> AnchorCopySettings | None:
        return load_anchor_copy()

    @cached_property
    def seals(self) -> KeyRing | None:
        return load_seals()

    @cached_property
    def payload_keys(self) -> PayloadKeys | None:
        return load_payload_keys()

    @cached_property
    def codec(self) -> CodecServerSettings:
        return load(CodecServerSettings)

    @cached_property
    def console(self) -> ConsoleSettings:
        return load(ConsoleSettings)

    @cached_property
    def provider(self) -> ProviderSettings | None:
        return load_provider()

    @cached_property
    def issuer(self) -> IssuerSettings:
        return load(IssuerSettings)

    @cached_property
    def evidence(self) -> EvidenceSettings | None:
        return load_evidence()
