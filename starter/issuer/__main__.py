"""`python -m starter.issuer`: the local issuer behind uvicorn, on a developer's stack only."""

import sys
from datetime import UTC, datetime

import uvicorn

import telemetry
from config.optional import load_service
from config.settings import Settings, UnableToConfigure
from config.sources import is_local_stack
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
        if not is_local_stack() or door.host not in LOOPBACK:
            raise UnableToConfigure("the local issuer names anybody: it runs with OMS_ENVIRONMENT=local, on loopback")
        if tokens.private_key is None:
            raise UnableToConfigure("OMS_TOKENS_PRIVATE_KEY is not set")
        key = read_key(tokens.private_key.get_secret_value())
        backend = load_service()
        shop = (read_key(backend.private_key.get_secret_value()), backend.name) if backend else None
    except (UnableToConfigure, UnusableKeys) as why:
        sys.stderr.write(f"the local issuer cannot start: {why}\n")
        return 2
    served = LocalIssuer(key, tokens.issuer, tokens.audience, now, shop)
    uvicorn.run(
        served.app, host=door.host, port=door.port, ws="none", lifespan="off", proxy_headers=False, access_log=False,
        server_header=False, log_config=None, limit_concurrency=64, timeout_graceful_shutdown=5,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
