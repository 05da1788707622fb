"""The connection to Temporal of a process that runs on: as its settings say, with each new token that it is given."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import structlog
from temporalio.client import Client

from config.settings import TemporalSettings, UnableToConfigure, load

log = structlog.get_logger("oms.temporal")
LOOK_S = 60.0


async def connect(resources: AsyncExitStack, settings: TemporalSettings, **how: Any) -> Client:
    """`how`: what else `Client.connect` takes. Until `resources` are closed, a token that was replaced (a secret file
    written anew) is used from then on: no process has to be restarted before its token ends."""
    client = await Client.connect(**settings.connect_arguments(), **how)
    if settings.temporal_api_key is not None:
        looking = asyncio.create_task(keep_token(client))
        resources.callback(looking.cancel)
    return client


async def keep_token(client: Client, every_s: float = LOOK_S) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            given = (await asyncio.to_thread(load, TemporalSettings)).temporal_api_key
        except (UnableToConfigure, OSError) as why:
            # Half a file, or none for a moment: the old token goes on being good until its end.
            log.warning("the token for Temporal cannot be read", why=str(why))
            continue
        if given is not None and given.get_secret_value() != client.api_key:
            client.api_key = given.get_secret_value()
            log.info("a new token for Temporal")
