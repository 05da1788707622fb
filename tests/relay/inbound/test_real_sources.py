"""The relay with real receivers, and as a process of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from temporalio.client import Client

from deploy.local import ports
from deploy.local.logins import as_role
from providers.wechat import WechatReceiver
from store.pool import Pool
from tests.providers.wechat_world import APIV3_KEY, PLATFORM_ID, config, payment, private_pem, public_pem, world
from tests.relay.conftest import now, running, until


async def test_a_repeat_that_wechat_encrypts_anew_is_the_same_message(pool: Pool, nowhere: Client) -> None:
    async with running(pool, nowhere, receivers={"wechat": WechatReceiver(config())}) as relay:
        notify_url = f"http://127.0.0.1:{relay.port}/hooks/wechat"
        async with world(notify_url=notify_url) as wechat:
            wechat.clock.now = now()
            wechat.arm("callback", "duplicate_callback")
            await wechat.pay.create_native(payment())
            await wechat.buyer_pays("ORD-000001")

            async def repeated() -> bool:
                return bool(await pool.fetchval("SELECT count(*) FROM inbox_repeats"))

            await until(repeated)
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 1
    assert await pool.fetchval("SELECT count(*) FROM inbox_refusals") == 0
    assert await pool.fetchval("SELECT facts -> 0 ->> 'order_no' FROM inbox") == "ORD-000001"


def environment(database_url: str, port: int) -> dict[str, str]:
    wechat = {
        "BASE_URL": "http://127.0.0.1:9",
        "MCHID": "1900000001",
        "APPID": "wx0000000000000001",
        "SERIAL_NO": "AB",
        "PRIVATE_KEY": private_pem("merchant"),
        "APIV3_KEY": APIV3_KEY,
        "PLATFORM_KEYS": f'{{"{PLATFORM_ID}": "{public_pem("platform").strip()}"}}'.replace("\n", "\\n"),
        "NOTIFY_URL": "https://shop.example/hooks/wechat",
    }
    others = {
        "OMS_QIMEN_BASE_URL": "http://127.0.0.1:9",
        "OMS_QIMEN_APP_KEY": "a",
        "OMS_QIMEN_SECRET": "s",
        "OMS_QIMEN_CUSTOMER_ID": "c",
        "OMS_TMS_BASE_URL": "http://127.0.0.1:9",
        "OMS_TMS_TOKEN": "t",
        "OMS_TMS_WEBHOOK_SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "OMS_KUAIDI100_BASE_URL": "http://127.0.0.1:9",
        "OMS_KUAIDI100_CUSTOMER": "c",
        "OMS_KUAIDI100_KEY": "k",
        "OMS_KUAIDI100_SALT": "s",
        "OMS_KUAIDI100_CALLBACK_URL": "http://127.0.0.1:9",
        "OMS_ENVIRONMENT": "local",
        "OMS_DATABASE_URL": as_role(database_url, "oms_relay"),
        "OMS_RELAY_PORT": str(port),
        "OMS_ENV_FILE": "",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{ports.free_port()}",
    }
    return {"PATH": os.defpath, **others, **{f"OMS_WECHAT_{name}": value for name, value in wechat.items()}}


@asynccontextmanager
async def process(env: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "relay", env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def test_the_process_serves_without_temporal_and_ends_cleanly(database_url: str) -> None:
    port = ports.free_port()
    async with process(environment(database_url, port)) as relay, httpx.AsyncClient() as http:

        async def up() -> bool:
            assert relay.returncode is None, (await relay.communicate())[1].decode()
            try:
                return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
            except httpx.ConnectError:
                return False

        await until(up, within_s=40)
        for source in ("wechat", "qimen", "tms", "kuaidi100"):
            answer = await http.post(f"http://127.0.0.1:{port}/hooks/{source}", content=b"{}")
            assert 400 <= answer.status_code < 500, source
        relay.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(relay.communicate(), 20)
        assert (relay.returncode, err.decode()) == (0, "")
        assert b"relay stopped" in out


async def test_a_process_without_its_settings_says_which_are_missing() -> None:
    async with process({"PATH": os.defpath, "OMS_ENV_FILE": ""}) as relay:
        _, err = await asyncio.wait_for(relay.communicate(), 60)
        assert relay.returncode == 2
        assert b"OMS_WECHAT_APIV3_KEY" in err
        assert b"Traceback" not in err
