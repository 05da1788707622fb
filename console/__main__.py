"""`python -m console`: configuration → the web console behind uvicorn, until SIGTERM."""

import asyncio
import sys
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from types import FrameType

import httpx
import structlog
import uvicorn

import telemetry
from config import startup_check, walls
from config.messenger import load_messenger
from config.processes import Process
from config.settings import Settings, UnableToConfigure
from console.app import make_app
from console.live import LiveHub
from console.session.provider import CompanySignIn
from console.temporal import LazyTemporal
from console.wiring import Wiring
from provider_clients import evidence_desk, link_verifier, token_verifier
from starter.clients.evidence import EvidenceClient
from starter.clients.exchange import TokenExchange
from starter.clients.orders import connect_temporal
from store.pool import open_pool

log = structlog.get_logger("oms.console")
CONNECTIONS = 8
AT_ONCE = 500
"""Open pages hold a connection each."""
STOP_S = 5


def now() -> datetime:
    return datetime.now(UTC)


class _Server(uvicorn.Server):
    """Ends open streams when it is told to end: they would hold it up."""

    def __init__(self, config: uvicorn.Config, live: LiveHub) -> None:
        super().__init__(config)
        self._live = live

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._live.close()
        super().handle_exit(sig, frame)


async def run(settings: Settings) -> None:
    console = settings.console
    async with AsyncExitStack() as resources:

        async def http(system: str) -> httpx.AsyncClient:
            return await resources.enter_async_context(telemetry.http_client(system))

        url = settings.database.url.get_secret_value()
        pool = await open_pool(url, max_size=CONNECTIONS, application="console")
        resources.push_async_callback(pool.close)
        exchange = TokenExchange(await http("issuer"), console.exchange_url) if console.exchange_url else None
        temporal = LazyTemporal(lambda: connect_temporal(settings.temporal))
        live = LiveHub(url)
        pictures = EvidenceClient(evidence_desk(settings.evidence, pool)) if settings.evidence else None
        verifier = await token_verifier(settings, http, now)
        provider, audience = _provider(settings), settings.tokens.audience
        links = link_verifier(console.buyer_links, audience, now) if console.buyer_links else None
        wiring = Wiring(
            console, pool, verifier, exchange, temporal, live, now, pictures, provider, links, load_messenger(),
            audience=audience,
        )  # fmt: skip
        listening = asyncio.create_task(live.run())
        log.info("console starts", url=console.url, host=console.host, port=console.port)
        config = uvicorn.Config(
            make_app(wiring), host=console.host, port=console.port, ws="none", lifespan="off", proxy_headers=False,
            server_header=False, access_log=False, log_config=None, limit_concurrency=AT_ONCE,
            timeout_graceful_shutdown=STOP_S,
        )  # fmt: skip
        await _Server(config, live).serve()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


def _provider(settings: Settings) -> CompanySignIn | None:
    """Raises `UnableToConfigure`."""
    if settings.provider is None:
        return None
    if settings.oidc is None:
        raise UnableToConfigure("OMS_CONSOLE_OIDC_CLIENT_ID wants OMS_OIDC_ISSUER, _AUDIENCE and _JWKS beside it")
    return CompanySignIn(settings.provider, settings.console.url, settings.oidc.issuer)


def main() -> int:
    settings = Settings()
    try:
        startup_check.insist(Process.CONSOLE)
        telemetry.set_up_logs(settings.telemetry)
        walls.tell(Process.CONSOLE)
        asyncio.run(run(settings))
    except UnableToConfigure as why:
        sys.stderr.write(f"the console cannot start: {why}\n")
        return 2
    except OSError as why:
        sys.stderr.write(f"the console cannot start: the database or its own port is not available ({why})\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
