"""Every setting of every process, in groups that are needed together; `config.sources` says where they come from."""

from functools import cached_property
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict
from temporalio.envconfig import ClientConfig, ClientConnectConfig

from config.optional import OptionalSettings
from config.receiving import Receiving
from config.sources import (
    Port,
    Secret,
    SettingsGroup,
    UnableToConfigure,
    WebAddress,
    Word,
    env_file,
    environment,
    listed,
    load,
    state_dir,
)
from domain.outbound.webhook_target import Network, Reach, private_network

__all__ = ["SettingsGroup", "UnableToConfigure", "env_file", "environment", "load", "state_dir"]


class EnvironmentSettings(SettingsGroup):
    """Which world this process works in. Never guessed: who forgets it in production would start with test keys."""

    oms_environment: Literal["local", "test", "prod"]
    oms_known_test_fingerprints: Annotated[tuple[str, ...], NoDecode] = ()
    """Comma list: `oms config check` of the test installation shows them (R16)."""

    @field_validator("oms_known_test_fingerprints", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return listed(value)


class DatabaseSettings(SettingsGroup):
    """`url` as asyncpg and dbmate take it: postgres://user:password@host:port/name?sslmode=…"""

    model_config = SettingsConfigDict(env_prefix="OMS_DATABASE_")

    url: Secret
    pool_max: Annotated[int, Field(ge=1, le=200)] = 10


class TemporalSettings(SettingsGroup):
    """Address, namespace, and what this process shows the server: its token (`api_key`) and its certificate, as
    variables or as secret files. Files named by TEMPORAL_TLS_*_PATH, and whatever else the SDK reads of TEMPORAL_*,
    work too."""

    temporal_address: Word
    temporal_namespace: Word = "default"
    temporal_api_key: Secret | None = None
    temporal_tls_client_cert_data: Word | None = None
    temporal_tls_client_key_data: Secret | None = None
    temporal_tls_server_ca_cert_data: Word | None = None

    def connect_arguments(self) -> ClientConnectConfig:
        """Arguments for `Client.connect`, with TLS and API key where they are given."""
        known = {name.upper(): getattr(self, name) for name in type(self).model_fields}
        ours = {name: value for name, value in known.items() if value is not None}
        return ClientConfig.load_client_connect_config(
            override_env_vars={
                **{name: value for name, value in environment().items() if name.startswith("TEMPORAL_")},
                **{name: value if isinstance(value, str) else value.get_secret_value() for name, value in ours.items()},
            }
        )


class RelaySettings(SettingsGroup):
    model_config = SettingsConfigDict(env_prefix="OMS_RELAY_")

    host: Word = "127.0.0.1"
    port: Port = 8080
    linger_ms: Annotated[int, Field(ge=0, le=5_000)] = 150
    """How long a delivery waits for more facts of the same order, so that they arrive as one signal."""
    quiet_ms: Annotated[int, Field(ge=0, le=1_500)] = 1_000
    """How long a fact about which nothing is done (picking, in transit) waits to ride with one that wakes the order.
    Whoever reads a status sees it within 2 s."""
    allow: dict[str, tuple[IPvAnyNetwork, ...]] = Field(default_factory=dict)
    """Networks a source may call from (R14), as JSON {"wechat": ["…/24"]}; a source not named here: from anywhere."""
    proxies: tuple[IPvAnyNetwork, ...] = ()
    """Own proxies, as JSON list: only their word on the caller's address is taken."""
    hops: Annotated[int, Field(ge=1, le=10)] | None = None
    """How many of them a call passes; None: as many as it names."""


class WorkerSettings(SettingsGroup):
    model_config = SettingsConfigDict(env_prefix="OMS_")

    worker_metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0: no metrics door."""
    workflow_sandbox: bool = True
    """Off in production: the import contracts and the replay gate have checked the same in CI, at 0.7 of the rate."""
    worker_cached_workflows: Annotated[int, Field(ge=100, le=100_000)] = 5_000
    """Larger than the open orders that move at the same time; a cache too small costs 0.2 of the rate."""
    worker_activities: Annotated[int, Field(ge=1, le=1_000)] = 100


class PullSettings(SettingsGroup):
    """How outside systems are asked by ourselves (R12). `*_tick_s`: how often a connector looks for whom to ask;
    `courier_spacing_s`: Kuaidi100 locks accounts that ask about one waybill more often than every 30 minutes."""

    model_config = SettingsConfigDict(env_prefix="OMS_PULL_")

    payment_tick_s: Annotated[int, Field(ge=1, le=3_600)] = 30
    warehouse_tick_s: Annotated[int, Field(ge=1, le=3_600)] = 30
    courier_tick_s: Annotated[int, Field(ge=1, le=3_600)] = 60
    courier_spacing_s: Annotated[int, Field(ge=1, le=86_400)] = 1_800
    batch: Annotated[int, Field(ge=1, le=1_000)] = 200
    rate_per_s: Annotated[int, Field(ge=1, le=1_000)] = 20
    at_once: Annotated[int, Field(ge=1, le=100)] = 8
    backoff_s: Annotated[tuple[Annotated[int, Field(ge=1, le=3_600)], ...], Field(min_length=1)] = (30, 60, 120)
    """Waits after the first, second, … tick without any answer, as JSON list."""
    ticket_after: Annotated[int, Field(ge=1, le=100)] = 4
    daily_hour: Annotated[int, Field(ge=0, le=23)] = 3
    daily_minute: Annotated[int, Field(ge=0, le=59)] = 30
    """When the books are compared with everybody else's, Asia/Shanghai."""


class OutboundSettings(SettingsGroup):
    """Where events for other systems may go (docs/contract/subscriptions.md), and how fast time runs for a trial."""

    model_config = SettingsConfigDict(env_prefix="OMS_OUTBOUND_")

    ports: Annotated[tuple[Port, ...], NoDecode, Field(min_length=1)] = (443,)
    """Comma list."""
    networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Comma list of own private networks that receivers may live in; everything else that is not public is refused."""
    loopback: bool = False
    """Receivers on this machine, plain http too."""
    speed: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Waits between attempts are divided by it."""

    @field_validator("ports", mode="before")
    @classmethod
    def _ports(cls, value: Any) -> Any:
        return listed(value)

    @field_validator("networks", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        return tuple(private_network(text) for text in listed(value)) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _trials_only(self) -> Self:
        if (self.loopback or self.speed != 1) and environment().get("OMS_ENVIRONMENT") not in ("local", "test"):
            raise ValueError("loopback and speed are for OMS_ENVIRONMENT local and test only")
        return self

    @property
    def reach(self) -> Reach:
        return Reach(frozenset(self.ports), self.networks, self.loopback)


class TelemetrySettings(SettingsGroup):
    """`otlp_endpoint` None: no traces leave the process."""

    oms_log_format: Literal["json", "console"] = "json"
    oms_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    otel_exporter_otlp_endpoint: WebAddress | None = None


class WechatSettings(SettingsGroup):
    """WeChat Pay API v3. `platform_keys`: serial → PEM public key, as JSON; empty means certificate mode."""

    model_config = SettingsConfigDict(env_prefix="OMS_WECHAT_")

    base_url: WebAddress
    mchid: Word
    appid: Word
    serial_no: Word
    private_key: Secret
    apiv3_key: Annotated[SecretStr, Field(min_length=32, max_length=32)]
    platform_keys: dict[str, str] = Field(default_factory=dict)
    notify_url: WebAddress
    customs_place: Word | None = None
    """WeChat's code of the customs office where cross-border payments are declared; with it:"""
    customs_merchant_no: Word | None = None
    """Our record at that office."""
    customs_base_url: WebAddress | None = None
    """Host of WeChat Pay's global API, where declarations go; absent: the same as `base_url`."""

    @model_validator(mode="after")
    def _customs_in_full(self) -> Self:
        if (self.customs_place is None) != (self.customs_merchant_no is None):
            raise ValueError("customs_place and customs_merchant_no belong together: give both or none")
        return self

    @field_validator("notify_url")
    @classmethod
    def _no_query(cls, value: str) -> str:
        if urlsplit(value).query:
            raise ValueError("must have no query string (WeChat Pay refuses it)")
        return value


class QimenSettings(SettingsGroup):
    model_config = SettingsConfigDict(env_prefix="OMS_QIMEN_")

    base_url: WebAddress
    app_key: Word
    secret: Secret
    customer_id: Word
    duplicate_codes: Annotated[tuple[Word, ...], NoDecode, BeforeValidator(listed)] = ()
    """Comma list: how this warehouse says that it has an order already, besides `DUPLICATE` and `ORDER_EXISTS`."""


class TmsSettings(SettingsGroup):
    """`webhook_secrets`: comma list of `whsec_…`, newest first; more than one while they are being changed."""

    model_config = SettingsConfigDict(env_prefix="OMS_TMS_")

    base_url: WebAddress
    token: Secret
    webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, Field(min_length=1)]

    @field_validator("webhook_secrets", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return listed(value)


class Kuaidi100Settings(SettingsGroup):
    """The salt is the only authentication of a push, so it cannot be empty."""

    model_config = SettingsConfigDict(env_prefix="OMS_KUAIDI100_")

    base_url: WebAddress
    customer: Word
    key: Secret
    salt: Secret
    callback_url: WebAddress


class Settings(OptionalSettings):
    """All groups; each is read when first asked for, so that a process needs only its own variables."""

    @cached_property
    def receiving(self) -> Receiving:
        return Receiving()

    @cached_property
    def database(self) -> DatabaseSettings:
        return load(DatabaseSettings)

    @cached_property
    def temporal(self) -> TemporalSettings:
        return load(TemporalSettings)

    @cached_property
    def relay(self) -> RelaySettings:
        return load(RelaySettings)

    @cached_property
    def worker(self) -> WorkerSettings:
        return load(WorkerSettings)

    @cached_property
    def pull(self) -> PullSettings:
        return load(PullSettings)

    @cached_property
    def outbound(self) -> OutboundSettings:
        return load(OutboundSettings)

    @cached_property
    def telemetry(self) -> TelemetrySettings:
        return load(TelemetrySettings)

    @cached_property
    def wechat(self) -> WechatSettings:
        return load(WechatSettings)

    @cached_property
    def qimen(self) -> QimenSettings:
        return load(QimenSettings)

    @cached_property
    def tms(self) -> TmsSettings:
        return load(TmsSettings)

    @cached_property
    def kuaidi100(self) -> Kuaidi100Settings:
        return load(Kuaidi100Settings)
