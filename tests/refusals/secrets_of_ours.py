"""Made for one test run."""

import base64
import secrets

WEBHOOK_SECRET, TEST_WEBHOOK_SECRET = ("whsec_" + base64.b64encode(secrets.token_bytes(24)).decode() for _ in range(2))
KUAIDI100_SALT, TEST_KUAIDI100_SALT = secrets.token_hex(8), secrets.token_hex(8)
SF_KEY, TEST_SF_KEY = secrets.token_hex(16), secrets.token_hex(16)
