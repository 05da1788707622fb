"""`python -m starter.issuer`: the local issuer behind uvicorn: on a developer's stack, and where the company's
messenger tells who signs in (decision 0054)."""

import sys
from datetime import UTC, datetime

import uvicorn

import telemetry
from config.messenger import load_messenger_with_secret
from config.optional import load_service
from config.settings import Settings, UnableToConfigure
from config.sms import load_sms
from config.sources import is_local_stack
from providers.messengers.choosing import messenger
from providers.sms.aliyun import AliyunSms
from providers.tokens.errors import UnusableKeys
from providers.tokens.issue import read_key
from starter.issuer.app import LocalIssuer

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    try:
        settings = Settings()
        telemetry.set_up_logs(settings.telemetry)
        door, tokens = settings.issuer, settings.tokens
        app, phones = load_messenger_with_secret(), load_sms()
        if app is None and phones is None and (not is_local_stack() or door.host not in LOOPBACK):
            raise UnableToConfigure(
                "the local issuer names anybody: it runs with OMS_ENVIRONMENT=local on loopback, "
                "or with OMS_MESSENGER_* or OMS_SMS_*"
            )
        if tokens.private_key is None:
            raise UnableToConfigure("OMS_TOKENS_PRIVATE_KEY is not set")
        key = read_key(tokens.private_key.get_secret_value())
        backend = load_service()
        shop = (read_key(backend.private_key.get_secret_value()), backend.name) if backend else None
    except (UnableToConfigure, UnusableKeys) as why:
        sys.stderr.write(f"the local issuer cannot start: {why}\n")
        return 2
    signs_in = messenger(app, telemetry.http_client("messenger"), now) if app else None
    sms = AliyunSms(phones, telemetry.http_client("sms"), now) if phones else None
    served = LocalIssuer(key, tokens.issuer, tokens.audience, now, shop, signs_in, sms)
    uvicorn.run(
        served.app, host=door.host, port=door.port, ws="none", lifespan="off", proxy_headers=False, access_log=False,
        server_header=False, log_config=None, limit_concurrency=64, timeout_graceful_shutdown=5,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
