"""How codes get to the phones of guests (decision 0055): 阿里云短信, of the issuer only."""

from pydantic_settings import SettingsConfigDict

from config.sources import Secret, SettingsGroup, WebAddress, Word, load, origin
from providers.sms.aliyun import SmsConfig


class SmsSettings(SettingsGroup):
    """All or none. `template`: with the single parameter `code`."""

    model_config = SettingsConfigDict(env_prefix="OMS_SMS_")

    base_url: WebAddress
    access_key_id: Word
    access_key_secret: Secret
    sign_name: Word
    template: Word


def load_sms() -> SmsConfig | None:
    """None: guests get no codes. Raises `UnableToConfigure` when it is only partly given."""
    if not origin("OMS_SMS_BASE_URL")[0]:
        return None
    given = load(SmsSettings)
    secret = given.access_key_secret.get_secret_value()
    return SmsConfig(given.base_url.rstrip("/"), given.access_key_id, secret, given.sign_name, given.template)
