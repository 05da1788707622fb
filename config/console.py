"""Where the web console listens, how long people stay signed in, and who proves what they do (decision 0040)."""

from typing import Annotated, Self

from pydantic import Field, IPvAnyNetwork, model_validator
from pydantic_settings import SettingsConfigDict

from config.sources import Port, Secret, SettingsGroup, WebAddress, Word, load, origin


class SlipSettings(SettingsGroup):
    """What slips say beside the case: those of the console's pages and of `oms return slip`."""

    model_config = SettingsConfigDict(env_prefix="OMS_CONSOLE_")

    return_address: Word | None = None
    """Where returned goods are sent."""


class ConsoleSettings(SlipSettings):
    """`url`: the address under which browsers know the console, without a path. `exchange_url`: where a signed-in
    person's token becomes the proof of one command; without it the console only shows."""

    model_config = SettingsConfigDict(env_prefix="OMS_CONSOLE_")

    host: Word = "127.0.0.1"
    port: Port = 8090
    url: WebAddress
    exchange_url: WebAddress | None = None
    idle_s: Annotated[int, Field(ge=60, le=86_400)] = 7_200
    longest_s: Annotated[int, Field(ge=300, le=86_400)] = 43_200
    buyer_links: dict[str, str] = Field(default_factory=dict)
    """JSON of each backend that signs links of buyers to its public key set, as JSON text or the name of a file; with
    none there are no pages for buyers."""
    guests: bool = False
    """Whether buyers without a link get one by a code to their order's phone: the issuer has to have OMS_SMS_*."""
    proxies: tuple[IPvAnyNetwork, ...] = ()
    """Own proxies, as JSON list: only their word on a buyer's address is taken. Without them all who come through one
    have its address, and wait for each other."""
    hops: Annotated[int, Field(ge=1, le=10)] | None = None
    """How many of them a call passes."""
    temporal_ui_url: WebAddress | None = None
    """For links to a workflow; people see ciphertext there unless they may read histories."""

    @model_validator(mode="after")
    def _address_alone(self) -> Self:
        if self.url.count("/") > 2:
            raise ValueError("url must be scheme, host and port only: the console answers at the root of its address")
        return self


class ProviderSettings(SettingsGroup):
    """Where people sign in with the company's account: a client of the identity provider whose tokens the OMS_OIDC_
    settings describe (its audience is then this client). Without a secret it is a public client, with PKCE alone."""

    model_config = SettingsConfigDict(env_prefix="OMS_CONSOLE_OIDC_")

    client_id: Word
    client_secret: Secret | None = None
    authorize_url: WebAddress
    token_url: WebAddress
    scope: Word = "openid"


def load_provider() -> ProviderSettings | None:
    """None: people sign in by links of the local issuer only."""
    return load(ProviderSettings) if origin("OMS_CONSOLE_OIDC_CLIENT_ID")[0] else None


class IssuerSettings(SettingsGroup):
    """The local issuer: signs people in on a developer's stack, and nowhere else."""

    model_config = SettingsConfigDict(env_prefix="OMS_ISSUER_")

    host: Word = "127.0.0.1"
    port: Port = 8086
