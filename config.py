"""Every setting of every process, from the environment; the only place that reads it.

Three sources, first wins: environment variables, the file named by OMS_ENV_FILE (without it `.local/stack.env` of a
running local stack, so that `oms` on the same machine finds it), one file per secret in the folder OMS_SECRETS_DIR
(`/run/secrets` under compose; file names as the variables, in lower case).
"""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, IPvAnyNetwork, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError
from temporalio.envconfig import ClientConfig, ClientConnectConfig

ROOT = Path(__file__).resolve().parent


class UnableToConfigure(ValueError):
    """Settings are missing or wrong. One line; names variables, never shows a value."""


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http(s) address")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("must hold neither a user name, a password nor a fragment")
    return value.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]
Port = Annotated[int, Field(ge=1, le=65535)]
Word = Annotated[str, Field(min_length=1)]
Secret = Annotated[SecretStr, Field(min_length=1)]


class Group(BaseSettings):
    """Settings that are needed together. Load with `load(Group)`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True)


class DatabaseSettings(Group):
    """`url` as asyncpg and dbmate take it: postgres://user:password@host:port/name?sslmode=…"""

    model_config = SettingsConfigDict(env_prefix="OMS_DATABASE_")

    url: Secret
    pool_max: Annotated[int, Field(ge=1, le=200)] = 10


class TemporalSettings(Group):
    """Address and namespace; TLS and API key are read by the SDK itself (TEMPORAL_TLS_*, TEMPORAL_API_KEY)."""

    temporal_address: Word
    temporal_namespace: Word = "default"

    def connect_arguments(self) -> ClientConnectConfig:
        """Arguments for `Client.connect`, with TLS and API key where the environment gives them."""
        return ClientConfig.load_client_connect_config(
            override_env_vars={
                **{name: value for name, value in environment().items() if name.startswith("TEMPORAL_")},
                "TEMPORAL_ADDRESS": self.temporal_address,
                "TEMPORAL_NAMESPACE": self.temporal_namespace,
            }
        )


class RelaySettings(Group):
    model_config = SettingsConfigDict(env_prefix="OMS_RELAY_")

    host: Word = "127.0.0.1"
    port: Port = 8080
    linger_ms: Annotated[int, Field(ge=0, le=5_000)] = 150
    """How long a delivery waits for more facts of the same order, so that they arrive as one signal."""
    allow: dict[str, tuple[IPvAnyNetwork, ...]] = {}
    """Networks a source may call from (R14), as JSON {"wechat": ["…/24"]}; a source not named here: from anywhere."""
    proxies: tuple[IPvAnyNetwork, ...] = ()
    """Own proxies, as JSON list: only their word on the caller's address is taken."""


class WorkerSettings(Group):
    model_config = SettingsConfigDict(env_prefix="OMS_")

    worker_metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0: no metrics door."""
    workflow_sandbox: bool = True
    """Off in production: the import contracts and the replay gate have checked the same in CI, at 0.7 of the rate."""
    worker_cached_workflows: Annotated[int, Field(ge=100, le=100_000)] = 5_000
    """Larger than the open orders that move at the same time; a cache too small costs 0.2 of the rate."""
    worker_activities: Annotated[int, Field(ge=1, le=1_000)] = 100


class TelemetrySettings(Group):
    """`otlp_endpoint` None: no traces leave the process."""

    oms_log_format: Literal["json", "console"] = "json"
    oms_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    otel_exporter_otlp_endpoint: WebAddress | None = None


class WechatSettings(Group):
    """WeChat Pay API v3. `platform_keys`: serial → PEM public key, as JSON; empty means certificate mode."""

    model_config = SettingsConfigDict(env_prefix="OMS_WECHAT_")

    base_url: WebAddress
    mchid: Word
    appid: Word
    serial_no: Word
    private_key: Secret
    apiv3_key: Annotated[SecretStr, Field(min_length=32, max_length=32)]
    platform_keys: dict[str, str] = {}
    notify_url: WebAddress

    @field_validator("notify_url")
    @classmethod
    def _no_query(cls, value: str) -> str:
        if urlsplit(value).query:
            raise ValueError("must have no query string (WeChat Pay refuses it)")
        return value


class QimenSettings(Group):
    model_config = SettingsConfigDict(env_prefix="OMS_QIMEN_")

    base_url: WebAddress
    app_key: Word
    secret: Secret
    customer_id: Word


class TmsSettings(Group):
    """`webhook_secrets`: comma list of `whsec_…`, newest first; more than one while they are being changed."""

    model_config = SettingsConfigDict(env_prefix="OMS_TMS_")

    base_url: WebAddress
    token: Secret
    webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, Field(min_length=1)]

    @field_validator("webhook_secrets", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


class Kuaidi100Settings(Group):
    """The salt is the only authentication of a push, so it cannot be empty."""

    model_config = SettingsConfigDict(env_prefix="OMS_KUAIDI100_")

    base_url: WebAddress
    customer: Word
    key: Secret
    salt: Secret
    callback_url: WebAddress


class Settings:
    """All groups; each is read when first asked for, so that a process needs only its own variables."""

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


G = TypeVar("G", bound=Group)


def load(group: type[G]) -> G:
    """Read one group. Raises `UnableToConfigure` naming every missing or wrong variable."""
    secrets = os.environ.get("OMS_SECRETS_DIR") or None
    try:
        settings = group(_env_file=env_file(), _secrets_dir=secrets)
    except ValidationError as e:
        raise UnableToConfigure(_one_line(group, e)) from None
    except SettingsError:
        # Raised only for values that have to be JSON; its cause would quote the value.
        raise UnableToConfigure(f"a variable of {_variable(group, '*')} must hold JSON and does not") from None
    _refuse_mixed(group, settings)
    return settings


def _refuse_mixed(group: type[Group], settings: Group) -> None:
    """A production process must not talk to a sandbox or in the clear (R16). OMS_ENVIRONMENT: local, test or prod."""
    address = urlsplit(getattr(settings, "base_url", ""))
    if environment().get("OMS_ENVIRONMENT") != "prod" or not address.scheme:
        return
    if address.scheme != "https" or address.hostname in ("localhost", "127.0.0.1", "::1"):
        raise UnableToConfigure(f"{_variable(group, 'base_url')} must be an outside https address in production")


def env_file() -> Path | None:
    """The file of variables in use: OMS_ENV_FILE, else the running local stack's; an empty OMS_ENV_FILE means none."""
    named = os.environ.get("OMS_ENV_FILE")
    if named is not None:
        return Path(named) if named else None
    local = state_dir() / "stack.env"
    return local if local.exists() else None


def state_dir() -> Path:
    """Where the local stack keeps its data, logs and generated secrets."""
    return ROOT / (os.environ.get("OMS_STATE_DIR") or ".local")


def environment() -> Mapping[str, str]:
    """All variables, those of the env file included; the environment wins."""
    file = env_file()
    from_file = dotenv_values(file) if file else {}
    return {**{k: v for k, v in from_file.items() if v is not None}, **os.environ}


def _one_line(group: type[Group], error: ValidationError) -> str:
    missing = [_variable(group, e["loc"][0]) for e in error.errors() if e["type"] == "missing"]
    wrong = [
        f"{_variable(group, e['loc'][0] if e['loc'] else '*')} {e['msg'].removeprefix('Value error, ')}"
        for e in error.errors(include_input=False)
        if e["type"] != "missing"
    ]
    told = [f"not set: {', '.join(missing)} (run `make up` for a local stack)"] if missing else []
    return "; ".join(told + wrong)


def _variable(group: type[Group], field: object) -> str:
    return f"{group.model_config.get('env_prefix', '')}{field}".upper()
