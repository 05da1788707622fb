"""Where settings come from: the only module that reads the environment. What they are is told by config/settings.py.

Three sources, first wins: environment variables, the file named by OMS_ENV_FILE (without it `.local/stack.env` of a
running local stack, so that `oms` on the same machine finds it), one file per secret in the folder OMS_SECRETS_DIR
(`/run/secrets` under compose; file names as the variables, in lower case).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from domain.config_rules import Source, is_test_address

ROOT = Path(__file__).resolve().parents[1]


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


def listed(value: Any) -> Any:
    """The words of a comma list; anything but text as it is."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


class SettingsGroup(BaseSettings):
    """Settings that are needed together. Load with `load(Group)`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True)


G = TypeVar("G", bound=SettingsGroup)


def load(group: type[G]) -> G:
    """Read one group. Raises `UnableToConfigure` naming every missing or wrong variable."""
    secrets = os.environ.get("OMS_SECRETS_DIR") or None
    try:
        settings = group(_env_file=env_file(), _secrets_dir=secrets)
    except ValidationError as e:
        raise UnableToConfigure(_one_line(group, e)) from None
    except SettingsError:
        # Raised only for values that have to be JSON; its cause would quote the value.
        raise UnableToConfigure(f"a variable of {variable(group, '*')} must hold JSON and does not") from None
    _refuse_mixed(group, settings)
    return settings


def _refuse_mixed(group: type[SettingsGroup], settings: SettingsGroup) -> None:
    """A production process must not talk to a sandbox or in the clear (R16). OMS_ENVIRONMENT: local, test or prod."""
    address = getattr(settings, "base_url", "")
    if environment().get("OMS_ENVIRONMENT") == "prod" and address and is_test_address(address):
        raise UnableToConfigure(f"{variable(group, 'base_url')} must be an outside https address in production")


def origin(name: str) -> tuple[str, Source]:
    """The value of a variable, and where it stands; in the order in which settings are read."""
    if value := os.environ.get(name):
        return value, Source.ENV
    file = env_file()
    if value := (dotenv_values(file).get(name) if file else None):
        return value, Source.FILE_LITERAL
    folder = os.environ.get("OMS_SECRETS_DIR")
    secret = Path(folder) / name.lower() if folder else None
    if secret and secret.is_file() and (value := secret.read_text().strip()):
        # A file in the checkout is one commit away from being everybody's.
        return value, Source.FILE_LITERAL if secret.resolve().is_relative_to(ROOT) else Source.FILE
    return "", Source.MISSING


def env_file() -> Path | None:
    """The file of variables in use: OMS_ENV_FILE, else the running local stack's; an empty OMS_ENV_FILE means none."""
    named = os.environ.get("OMS_ENV_FILE")
    if named is not None:
        return Path(named) if named else None
    local = state_dir() / "stack.env"
    return local if local.exists() else None


def is_local_stack() -> bool:
    """A developer's own machine: whoever works there holds the keys with which anybody can be named."""
    return origin("OMS_ENVIRONMENT")[0] == "local"


def state_dir() -> Path:
    """Where the local stack keeps its data, logs and generated secrets."""
    return ROOT / (os.environ.get("OMS_STATE_DIR") or ".local")


def environment() -> Mapping[str, str]:
    """All variables, those of the env file included; the environment wins."""
    file = env_file()
    from_file = dotenv_values(file) if file else {}
    return {**{k: v for k, v in from_file.items() if v is not None}, **os.environ}


def _one_line(group: type[SettingsGroup], error: ValidationError) -> str:
    missing = [variable(group, e["loc"][0]) for e in error.errors() if e["type"] == "missing"]
    wrong = [
        f"{variable(group, e['loc'][0] if e['loc'] else '*')} {e['msg'].removeprefix('Value error, ')}"
        for e in error.errors(include_input=False)
        if e["type"] != "missing"
    ]
    told = [f"not set: {', '.join(missing)} (run `make up` for a local stack)"] if missing else []
    return "; ".join(told + wrong)


def variable(group: type[SettingsGroup], field: object) -> str:
    """The name of the environment variable that a group's field is read from."""
    return f"{group.model_config.get('env_prefix', '')}{field}".upper()
