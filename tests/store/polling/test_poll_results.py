"""What asking finds is in the inbox once; what the books know already is not put there at all."""

import asyncio
from datetime import timedelta

import pytest

from domain.states import Outcome
from providers.callbacks import TracePoint
from store.inbox.courier_scans import TraceStore
from store.inbox.inbox import InboxStore
from store.inbox.listing import InboxListing
from store.orders.orders import OrderStore
from store.polling.poll_results import FindingStore, event_id
from store.pool import Pool
from tests.store.examples import NOW, a_fact, a_settled_order, a_write, an_event

NO = "SO20261120"
FACT = a_fact("wechat:pay:TX-9", order_no=NO)


@pytest.fixture
def findings(pool: Pool) -> FindingStore:
    return FindingStore(pool)


async def test_a_found_fact_is_one_row_for_the_relay_however_often_it_is_found(
    findings: FindingStore, inbox: InboxStore, pool: Pool
) -> None:
    assert await findings.put([(NO, FACT)], [], NOW) == 1
    assert await findings.put([(NO, FACT)], [], NOW + timedelta(minutes=1)) == 0
    (row,) = await InboxListing(pool).list()
    assert (row.source, row.event_id, row.via, row.state) == ("wechat", "query:wechat:pay:TX-9", "query", "received")
    (claimed,) = await inbox.claim(9, 60, NOW)
    assert [f.key for f in claimed.facts] == [FACT.key]
    assert await pool.fetchval("SELECT count(*) FROM inbox_repeats") == 0


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_what_is_written_down_already_is_no_news(
    findings: FindingStore, orders: OrderStore, pool: Pool, outcome: Outcome
) -> None:
    await a_settled_order(orders)
    await orders.write(a_write(seq=2, events=(an_event(FACT.key, outcome),)))
    assert await findings.put([(NO, FACT)], [], NOW) == 0
    assert await findings.hand_over(NO, [FACT], NOW) == ()
    assert await InboxListing(pool).list() == ()


async def test_scans_are_kept_even_when_no_fact_is_news(findings: FindingStore, pool: Pool) -> None:
    scan = TracePoint("YT0000001", "kuaidi100:1", NOW, "in_transit", "left Hangzhou")
    assert await findings.put([], [("kuaidi100", scan)], NOW) == 0
    assert await findings.put([], [("kuaidi100", scan)], NOW) == 0
    assert [t.text for t in await TraceStore(pool).list("YT0000001")] == ["left Hangzhou"]


async def test_what_a_workflow_found_by_itself_is_not_delivered_to_it_again(
    findings: FindingStore, inbox: InboxStore, pool: Pool
) -> None:
    (taken,) = await findings.hand_over(NO, [FACT], NOW)
    (row,) = await InboxListing(pool).list()
    assert (row.id, row.state) == (taken.inbox_id, "delivered") and row.delivered_at is not None
    assert await inbox.claim(9, 60, NOW) == []
    assert await findings.hand_over(NO, [FACT], NOW) == (taken,), "a local activity may run twice"


async def test_a_workflow_takes_what_a_tick_has_just_put_in(
    findings: FindingStore, inbox: InboxStore, pool: Pool
) -> None:
    await findings.put([(NO, FACT)], [], NOW)
    (taken,) = await findings.hand_over(NO, [FACT], NOW)
    (row,) = await InboxListing(pool).list()
    assert (taken.inbox_id, row.state) == (row.id, "delivered")
    assert await inbox.claim(9, 60, NOW) == []


async def test_several_who_find_the_same_at_once_leave_one_row(findings: FindingStore, pool: Pool) -> None:
    added = await asyncio.gather(*(findings.put([(NO, FACT)], [], NOW) for _ in range(8)))
    assert sum(added) == 1
    assert [row.event_id for row in await InboxListing(pool).list()] == [event_id(FACT)]
