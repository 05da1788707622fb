"""The sender as a process of its own, with nothing but its environment."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.logins import as_role
from domain.outbound.published import EventType, SubscriberRole
from tests.outbound.conftest import REF, SECRET, Receiver, World
from tests.outbound.happenings import paid, refunded

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def a_process(database_url: str, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    given = {"OMS_ENV_FILE": "", "OMS_DATABASE_URL": as_role(database_url, "oms_relay"), "OMS_ENVIRONMENT": "test"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "relay.outbound"),
        cwd=ROOT,
        env={"PATH": os.defpath, "OMS_OUTBOUND_LOOPBACK": "true", **given, **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_tells_and_asks_and_ends_cleanly_and_its_log_holds_no_payload(
    database_url: str, world: World, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / REF.lower()).write_text(SECRET + "\n")
    receiver.says(500)
    types = (EventType.REFUND_SUCCEEDED, EventType.PAYMENT_RECEIVED)
    await world.subscribe(receiver.url + "?token=hush", SubscriberRole.FINANCE, "erp", types)
    async with a_process(database_url, OMS_OUTBOUND_SPEED="100", OMS_SECRETS_DIR=str(tmp_path)) as process:
        async with asyncio.timeout(40):
            assert process.stdout is not None
            assert b"outbound starts" in await process.stdout.readline()
            await paid(world.orders, datetime.now(UTC))
            await refunded(world.orders, datetime.now(UTC))
            while not await world.tickets.list():
                await asyncio.sleep(0.05)
            assert "4 tries" in (await world.tickets.list())[0].error
            receiver.says(204)
            while await world.pool.fetchval("SELECT count(*) FROM deliveries WHERE state <> 'acknowledged'"):
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            said, _ = await process.communicate()
    assert process.returncode == 0
    assert await world.tickets.list() == ()
    text = said.decode()
    assert text.count('"event told"') == len(receiver.heard) >= 6
    for hidden in ("hush", "amount_minor", "TX-SO20261120", SECRET, database_url):
        assert hidden not in text
