"""The nightly tidying runs once a night, after four in Shanghai, with the newest policy."""

from datetime import UTC, datetime, timedelta

from domain.inbox.retention import Retention
from domain.policy import Policy
from relay.jobs.retention import Nightly
from store.inbox.inbox import InboxStore
from store.inbox.retention import RetentionStore
from store.pool import Pool
from tests.outbound.conftest import Clock
from tests.store.inbox.test_intake import incoming

BEFORE_FOUR = datetime(2026, 11, 25, 19, 59, tzinfo=UTC)


async def test_each_night_once_and_not_before_four(pool: Pool, inbox: InboxStore) -> None:
    policy = Policy(retention=Retention(applied_days=1))

    async def newest() -> Policy:
        return policy

    await inbox.add_many([incoming("e-1", received_at=BEFORE_FOUR - timedelta(days=2))])
    await pool.execute("UPDATE inbox SET state = 'applied'")
    clock = Clock(BEFORE_FOUR)
    relays = [Nightly(RetentionStore(pool), newest, clock) for _ in range(2)]
    assert [await relay.look() for relay in relays] == [False, False]
    clock.forward(60)
    assert [await relay.look() for relay in relays] == [True, False]
    assert await pool.fetchval("SELECT body FROM inbox") == b""
    assert await pool.fetchval("SELECT note FROM nightly_care") == "bodies 1, refusals 0, repeats 0, notices 0"
    clock.forward(86_400)
    assert [await relay.look() for relay in relays] == [True, False]
