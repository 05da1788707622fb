"""`python -m relay.outbound`: a sender in a process of its own, until SIGTERM; the relay has one inside already."""

import asyncio
import signal
import sys
from datetime import UTC, datetime

import structlog

import telemetry
from config.settings import Settings, UnableToConfigure
from relay.outbound.assembly import sending
from store.pool import open_pool

log = structlog.get_logger("relay.outbound")


def now() -> datetime:
    return datetime.now(UTC)


async def run(settings: Settings) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    database = settings.database
    pool = await open_pool(database.url.get_secret_value(), max_size=database.pool_max, application="outbound")
    try:
        async with sending(pool, settings.outbound, now):
            log.info("outbound starts")
            await ended.wait()
    finally:
        await pool.close()


def main() -> int:
    settings = Settings()
    try:
        telemetry.set_up_logs(settings.telemetry)
        asyncio.run(run(settings))
    except (UnableToConfigure, OSError) as why:
        sys.stderr.write(f"the sender cannot start: {why}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
