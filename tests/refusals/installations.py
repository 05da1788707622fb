"""Who may sign: the outside systems of our installation, those of its test twin, and somebody who guesses.

All of it made for one test run. Merchant and account numbers are the same everywhere: only the secrets differ.
"""

import base64
import secrets

from bench.signing import Signers
from tests.providers import alipay_world, wechat_world
from tests.sandbox.qimen_world import APP_KEY, CUSTOMER, SECRET


class Installation(Signers):
    """`rsa_key`: the name of the pair with which the payment platforms sign."""

    def __init__(self, rsa_key: str, wechat_key_id: str, qimen_secret: str) -> None:
        self.webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self.kuaidi100_salt = secrets.token_hex(8)
        self.sf_key = secrets.token_hex(16)
        super().__init__(
            {
                "SANDBOX_WECHAT_MCHID": wechat_world.MCHID,
                "SANDBOX_WECHAT_APPID": wechat_world.APPID,
                "SANDBOX_WECHAT_APIV3_KEY": wechat_world.APIV3_KEY,
                "SANDBOX_WECHAT_MERCHANT_SERIAL": wechat_world.SERIAL,
                "SANDBOX_WECHAT_MERCHANT_PUBLIC_KEY": wechat_world.public_pem("merchant"),
                "SANDBOX_WECHAT_PLATFORM_PRIVATE_KEY": wechat_world.private_pem(rsa_key),
                "SANDBOX_WECHAT_PLATFORM_SERIAL": wechat_key_id,
                "SANDBOX_ALIPAY_APP_ID": alipay_world.APP_ID,
                "SANDBOX_ALIPAY_SELLER_ID": alipay_world.SELLER_ID,
                "SANDBOX_ALIPAY_MERCHANT_PUBLIC_KEY": wechat_world.public_pem("merchant"),
                "SANDBOX_ALIPAY_PLATFORM_PRIVATE_KEY": wechat_world.private_pem(rsa_key),
                "SANDBOX_QIMEN_APP_KEY": APP_KEY,
                "SANDBOX_QIMEN_CUSTOMER_ID": CUSTOMER,
                "SANDBOX_QIMEN_SECRET": qimen_secret,
                "SANDBOX_TMS_WEBHOOK_SECRETS": self.webhook_secret,
                "SANDBOX_KUAIDI100_SALT": self.kuaidi100_salt,
                "SANDBOX_SF_PUSH_KEYS": self.sf_key,
            }
        )


LIVE = Installation("platform", wechat_world.PLATFORM_ID, SECRET)
TEST = Installation("test platform", "PUB_KEY_ID_TEST", f"test-{SECRET}")
IMPOSTOR = Installation("impostor", wechat_world.PLATFORM_ID, f"impostor-{SECRET}")
