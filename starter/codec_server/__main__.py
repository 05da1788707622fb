"""`python -m starter.codec_server`: configuration → the codec server behind uvicorn, until SIGTERM."""

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import httpx
import structlog
import uvicorn

import telemetry
from config import startup_check, walls
from config.processes import Process
from config.settings import Settings, UnableToConfigure
from provider_clients import token_verifier
from starter.codec_server.app import CodecServer
from starter.codec_server.serving import door
from store.approvals.history_readers import HistoryReaders
from store.pool import open_pool
from wire.encrypted_payloads import PayloadCipher

log = structlog.get_logger("oms.codec")
CONNECTIONS = 4


def now() -> datetime:
    return datetime.now(UTC)


async def run(settings: Settings) -> None:
    where = settings.codec
    async with AsyncExitStack() as resources:

        async def http(system: str) -> httpx.AsyncClient:
            return await resources.enter_async_context(telemetry.http_client(system))

        url = settings.database.url.get_secret_value()
        pool = await open_pool(url, max_size=CONNECTIONS, application="codec")
        resources.push_async_callback(pool.close)
        verifier = await token_verifier(settings, http, now)
        cipher = PayloadCipher(settings.payload_keys)
        served = CodecServer(cipher, verifier, HistoryReaders(pool), now, where.ui)
        log.info("codec server starts", host=where.host, port=where.port, ui=where.ui)
        config = door(served.app, where.host, where.port)
        await uvicorn.Server(config).serve()


def main() -> int:
    settings = Settings()
    try:
        startup_check.insist(Process.CODEC)
        telemetry.set_up_logs(settings.telemetry)
        walls.tell(Process.CODEC)
        asyncio.run(run(settings))
    except UnableToConfigure as why:
        sys.stderr.write(f"the codec server cannot start: {why}\n")
        return 2
    except OSError as why:
        sys.stderr.write(f"the codec server cannot start: the database or its own port is not available ({why})\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
