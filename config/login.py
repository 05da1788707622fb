"""Where people at the command line sign in: an identity provider that speaks OpenID Connect and RFC 8628."""

from pydantic_settings import SettingsConfigDict

from config.sources import SettingsGroup, WebAddress, Word, load, origin


class LoginSettings(SettingsGroup):
    """`issuer`: the provider's address, whose discovery document is asked; `exchange_url`: where a sign-in becomes the
    proof of one command (RFC 8693), unless that is the provider's own token endpoint."""

    model_config = SettingsConfigDict(env_prefix="OMS_LOGIN_")

    issuer: WebAddress
    client_id: Word
    scope: Word = "openid offline_access"
    exchange_url: WebAddress | None = None


def load_login() -> LoginSettings | None:
    """None when no issuer is named. Raises `UnableToConfigure` when it is only partly given."""
    return load(LoginSettings) if origin("OMS_LOGIN_ISSUER")[0] else None
