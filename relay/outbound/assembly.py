"""One sender, put together on a pool; for the length of a `with` block."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config.settings import OutboundSettings
from config.sources import origin
from domain.clock import Clock
from relay.outbound.housekeeping import Housekeeping
from relay.outbound.retry_schedule import RetrySchedule
from relay.outbound.safe_post import Poster
from relay.outbound.sender import Sender
from relay.outbound.signing import Keyring
from store.outbound.deliveries import DeliveryStore
from store.outbound.subscriptions import SubscriptionStore
from store.pool import Pool


@asynccontextmanager
async def sending(pool: Pool, settings: OutboundSettings, clock: Clock) -> AsyncIterator[None]:
    """Tells events while the block runs; a look at an empty table twice a second while nobody subscribes."""
    pace = RetrySchedule(speed=settings.speed)
    poster = Poster(settings.reach, deadline_s=pace.attempt_s, clock=clock)
    keyring = Keyring(lambda name: origin(name)[0], clock)
    deliveries = DeliveryStore(pool)
    sender = Sender(deliveries, SubscriptionStore(pool), poster, keyring, clock, pace, random.random)
    care = Housekeeping(deliveries, clock, pace)
    sender.start()
    care.start()
    try:
        yield
    finally:
        await care.stop()
        await sender.stop()
        await poster.close()
