"""`python -m relay`: configuration → one relay behind uvicorn, until SIGTERM."""

import asyncio
import gc
import os
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvloop
from temporalio.service import RetryConfig

import telemetry
import temporal_connection
from config import startup_check, walls
from config.mail import load_mail
from config.messenger import load_console_address, load_messenger_with_secret
from config.processes import Process
from config.settings import Settings, UnableToConfigure
from domain.access.addresses import Addresses
from provider_clients import anchor_copies
from providers.mail.smtp import Mail
from providers.messengers.choosing import messenger
from providers.notices.channels import Channels, UnableToNotify
from providers.wechat import PlatformKeys
from relay.assembly import Relay
from relay.delivery.loop import DeliverySettings
from relay.inbound.limits import Limits
from relay.inbound.serving import server
from relay.inbound.sources import keep_certificates, receivers, wechat_inbound
from relay.jobs.approval_tellers import ByMail, ByMessenger, Teller
from relay.outbound.assembly import sending
from store.audit.anchor import AnchorFile
from store.pool import open_pool
from wire.converter import data_converter

log = structlog.get_logger("relay")


def now() -> datetime:
    return datetime.now(UTC)


async def run(settings: Settings) -> None:
    limits = Limits()
    config = wechat_inbound(settings.receiving.wechat)
    keys = PlatformKeys(config.platform_keys)
    sources = receivers(settings.receiving, settings.generic.sources, keys)
    channels = people_told(settings)
    async with AsyncExitStack() as resources:
        database = settings.database
        pool = await open_pool(database.url.get_secret_value(), max_size=database.pool_max, application="relay")
        resources.push_async_callback(pool.close)
        await resources.enter_async_context(sending(pool, settings.outbound, now))
        # Lazy: a callback is taken whether or not Temporal is there.
        client = await temporal_connection.connect(
            resources,
            settings.temporal,
            data_converter=data_converter(settings.seals, settings.payload_keys),
            plugins=[telemetry.temporal_tracing()],
            retry_config=RetryConfig(max_elapsed_time_millis=2_000, max_retries=3),
            lazy=True,
        )
        pace = DeliverySettings(linger_s=settings.relay.linger_ms / 1_000, quiet_s=settings.relay.quiet_ms / 1_000)
        addresses = Addresses(settings.relay.allow, settings.relay.proxies, settings.relay.hops)
        audit = settings.audit
        anchor_key = audit.key.get_secret_value().encode() if audit else b""
        relay = Relay(
            pool,
            client,
            sources,
            now,
            addresses=addresses,
            limits=limits,
            pace=pace,
            channels=channels,
            deciders=await deciders_told(resources),
            anchors=AnchorFile(Path(audit.file), anchor_key) if audit else None,
            anchor_copies=anchor_copies(settings.anchor_copy, anchor_key) if audit else None,
            anchor_every_s=audit.every_s if audit else 0,
        )
        if config.certificate_mode:
            fetching = asyncio.create_task(keep_certificates(config, keys, now))
            resources.callback(fetching.cancel)
        log.info("relay starts", host=settings.relay.host, port=settings.relay.port, sources=sorted(sources))
        # What was loaded so far stays: collecting it again and again would hold up requests for 0.1 s at a time.
        gc.collect()
        gc.freeze()
        await server(relay.app, limits, settings.relay.host, settings.relay.port).serve()


def people_told(settings: Settings) -> Channels | None:
    """Where people hear of tickets; None: nowhere. Raises `UnableToConfigure`, which shows no address."""
    if settings.notices is None:
        return None
    try:
        return Channels(settings.notices.urls.get_secret_value())
    except UnableToNotify as why:
        raise UnableToConfigure(f"OMS_NOTICE_URLS: {why}") from None


async def deciders_told(resources: AsyncExitStack) -> list[tuple[Teller, str]]:
    """The ways in which people hear that a decision is asked of them, and where its page is. Raises
    `UnableToConfigure`."""
    found: list[tuple[Teller, str]] = []
    console_url = load_console_address()
    app = load_messenger_with_secret() if console_url else None
    if app is not None and console_url is not None:
        http = await resources.enter_async_context(telemetry.http_client("messenger"))
        found.append((ByMessenger(messenger(app, http, now)), console_url))
    if by_mail := load_mail():
        mail = Mail(by_mail.server(), now)
        resources.callback(mail.close)
        found.append((ByMail(mail, by_mail.addresses), by_mail.console_url.rstrip("/")))
    return found


def main() -> int:
    settings = Settings()
    try:
        startup_check.insist(Process.RELAY)
        telemetry.set_up_logs(settings.telemetry)
        telemetry.set_up_traces("relay", settings.telemetry)
        walls.tell(Process.RELAY)
        # uvloop halves what a request costs (docs/performance.md, Callbacks).
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings))
    except UnableToConfigure as why:
        return _refuse(str(why), 2)
    except OSError as why:
        return _refuse(f"the database or its own port is not available ({why})", 1)
    return 0


def _refuse(why: str, code: int) -> int:
    sys.stderr.write(f"the relay cannot start: {why}\n")
    return code


if __name__ == "__main__":
    # The SDK may abort at interpreter exit after a clean shutdown (docs/performance.md), so leave without that.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
