"""The messenger that the company works in (企业微信, 钉钉 or 飞书): people sign in by it and are told there (decision
0054)."""

from typing import Self

from pydantic import model_validator
from pydantic_settings import SettingsConfigDict

from config.sources import Secret, SettingsGroup, UnableToConfigure, WebAddress, Word, load, origin
from providers.messengers.port import MessengerApp, System


class MessengerSettings(SettingsGroup):
    """Which one, and our app there; nothing secret. `app_id`: the company's id at 企业微信, the client id at 钉钉, the
    app id at 飞书. `agent_id`: the app's number at 企业微信, the robot's code at 钉钉. `tenant`: our company, at 钉钉
    its corpId, at 飞书 its tenant_key. `host`: a sandbox instead of the real one."""

    model_config = SettingsConfigDict(env_prefix="OMS_MESSENGER_")

    system: System
    app_id: Word
    agent_id: Word | None = None
    tenant: Word | None = None
    host: WebAddress | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.system != "feishu" and self.agent_id is None:
            raise ValueError("OMS_MESSENGER_AGENT_ID is missing: the app's number, or the robot's code")
        if self.system != "wecom" and self.tenant is None:
            raise ValueError("OMS_MESSENGER_TENANT is missing: without it everybody's company would be ours")
        return self

    def app(self, secret: str = "") -> MessengerApp:
        return MessengerApp(
            self.system, self.app_id, self.agent_id or "", self.tenant or "", secret, (self.host or "").rstrip("/")
        )


class MessengerSecretSettings(SettingsGroup):
    """The app's secret: of the issuer, which asks who signs in, and the relay, which tells people."""

    model_config = SettingsConfigDict(env_prefix="OMS_MESSENGER_")

    secret: Secret


class MessengerNoticeSettings(SettingsGroup):
    """Where the console is, for links in notices; the relay tells nobody of decisions without it."""

    model_config = SettingsConfigDict(env_prefix="OMS_MESSENGER_")

    console_url: WebAddress


def load_console_address() -> str | None:
    """Without a slash at its end."""
    given = origin("OMS_MESSENGER_CONSOLE_URL")[0]
    return load(MessengerNoticeSettings).console_url.rstrip("/") if given else None


def load_messenger() -> MessengerApp | None:
    """Without its secret. None: nobody signs in by a messenger. Raises `UnableToConfigure`."""
    return load(MessengerSettings).app() if origin("OMS_MESSENGER_SYSTEM")[0] else None


def load_messenger_with_secret() -> MessengerApp | None:
    """Raises `UnableToConfigure`, also when there is no secret."""
    if not origin("OMS_MESSENGER_SYSTEM")[0]:
        return None
    if not origin("OMS_MESSENGER_SECRET")[0]:
        raise UnableToConfigure("OMS_MESSENGER_SECRET is not set")
    return load(MessengerSettings).app(load(MessengerSecretSettings).secret.get_secret_value())
