"""One sender, put together on a pool; for the length of a `with` block."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config import OutboundSettings
from config_reading import origin
from relay.outbound.care import Care
from relay.outbound.pace import Pace
from relay.outbound.pinned import Poster
from relay.outbound.sender import Clock, Sender
from relay.outbound.signing import Keyring
from store.deliveries import DeliveryStore
from store.pool import Pool
from store.subscriptions import SubscriptionStore


@asynccontextmanager
async def sending(pool: Pool, settings: OutboundSettings, clock: Clock) -> AsyncIterator[None]:
    """Tells events while the block runs; a look at an empty table twice a second while nobody subscribes."""
    pace = Pace(speed=settings.speed)
    poster = Poster(settings.reach, deadline_s=pace.attempt_s, clock=clock)
    keyring = Keyring(lambda name: origin(name)[0], clock)
    deliveries = DeliveryStore(pool)
    sender = Sender(deliveries, SubscriptionStore(pool), poster, keyring, clock, pace, random.random)
    care = Care(deliveries, clock, pace)
    sender.start()
    care.start()
    try:
        yield
    finally:
        await care.stop()
        await sender.stop()
        await poster.close()
