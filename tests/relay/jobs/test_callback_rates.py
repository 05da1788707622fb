"""The relay's own look at its sources: what was refused at the door shows in metrics, and becomes one ticket."""

from datetime import timedelta

from temporalio.client import Client

from domain.policy import Policy
from relay.jobs.callback_rates import BoardWatch
from store.inbox.callback_rates import BUCKET, GRACE, BoardStore, bucket_start
from store.pool import Pool
from store.rules.policies import PolicyStore
from store.tickets.tickets import TicketStore
from tests.relay.conftest import Running, now, running, until


async def test_refused_calls_become_a_ticket_by_the_newest_policy(pool: Pool, nowhere: Client) -> None:
    await PolicyStore(pool).publish(Policy(callback_alert_after=1), "ops")
    async with running(pool, nowhere) as relay:
        assert (await relay.http.post("/hooks/shop", content=b"forged")).status_code == 401

        at = await until(lambda: pool.fetchval("SELECT at FROM inbox_refusals"))
        later = bucket_start(at) + BUCKET + GRACE
        watch = BoardWatch(BoardStore(pool), PolicyStore(pool).current, lambda: later)
        await watch.look()

        async def told() -> str | None:
            """Looks once more each time: the relay's own first look, at the real hour, may come in between, and one
            look at a time judges."""
            await watch.look()
            text = (await relay.http.get("/metrics")).text
            judged = await TicketStore(pool).list()
            return text if judged and 'oms_callback_rate_bp{source="shop"} 0.0' in text else None

        shown = await until(told)
    (ticket,) = await TicketStore(pool).list()
    assert (ticket.system, ticket.step, ticket.outside) == ("shop", "callback rate", True)
    assert 'oms_callback_alert{source="shop"} 1.0' in shown


async def test_a_silent_source_shows_no_rate(pool: Pool, door: Running) -> None:
    watch = BoardWatch(BoardStore(pool), PolicyStore(pool).current, lambda: now() + timedelta(hours=2))
    await watch.look()
    shown = (await door.http.get("/metrics")).text
    assert "oms_callback_rate_bp{" not in shown
