"""Where the codec server listens, and which Web UI it answers (decision 0038)."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode, SettingsConfigDict

from config.sources import Port, SettingsGroup, WebAddress, Word, listed


class CodecServerSettings(SettingsGroup):
    """`ui`: comma list of the addresses under which browsers know the Web UI, without a path."""

    model_config = SettingsConfigDict(env_prefix="OMS_CODEC_")

    host: Word = "127.0.0.1"
    port: Port = 8085
    ui: Annotated[tuple[WebAddress, ...], NoDecode, BeforeValidator(listed), Field(min_length=1)]
