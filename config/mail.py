"""The company's mail server, by which people hear that a decision is asked of them: the relay's (decision 0075)."""

import ipaddress
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from config.sources import Port, Secret, SettingsGroup, WebAddress, Word, load, origin
from providers.mail.smtp import MailServer, Security

Address = Annotated[str, Field(pattern=r'^[^@\s<>,;:"()]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,250}$')]


class MailSettings(SettingsGroup):
    """`addresses`: JSON of each person's id to their address; nobody else gets mail. `console_url`: where the links
    lead. `security`: starttls, tls (from the start), or none, which is for a server of this machine."""

    model_config = SettingsConfigDict(env_prefix="OMS_MAIL_")

    host: Word
    port: Port = 587
    security: Security = "starttls"
    username: Word | None = None
    password: Secret | None = None
    sender: Address
    addresses: Annotated[dict[str, Address], Field(min_length=1)]
    console_url: WebAddress

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("OMS_MAIL_USERNAME and OMS_MAIL_PASSWORD belong together")
        if self.security == "none" and not _is_here(self.host):
            raise ValueError("OMS_MAIL_SECURITY=none is for a mail server of this machine")
        return self

    def server(self) -> MailServer:
        password = self.password.get_secret_value() if self.password else ""
        return MailServer(self.host, self.port, self.security, self.sender, self.username or "", password)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_mail() -> MailSettings | None:
    """None: nobody is told by mail. Raises `UnableToConfigure`."""
    return load(MailSettings) if origin("OMS_MAIL_HOST")[0] else None
