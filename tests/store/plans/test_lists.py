"""Lists of which each condition may be left out: for what people ask, none reads a growing table from end to end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.approvals import approvals
from store.automation import desk, happenings
from store.automation.happenings import PAST
from store.console import callbacks
from store.console.money import MoneyFilter, money_query
from store.console.sessions import PersonScope
from store.inbox import callback_rates, listing, replaying
from store.orders.pages import OrderFilter, page_query
from store.outbound import subscriptions
from store.outside_money import bill_gaps, trade_bills
from store.polling import measures
from store.pool import Pool
from store.returns import reading
from store.tickets import tickets as tickets_store
from store.tickets.queue import LISTS, Sort
from tests.plans import PARTIAL, plan_with, read_whole
from tests.store.plans.test_statements import GROWING

NOW = datetime.now(UTC)
HOUR, DAY = NOW - timedelta(hours=1), NOW - timedelta(days=1)
ALL = PersonScope(None, None)
ORDER = "SO0000000900"


def orders(**wanted: Any) -> tuple[str, Sequence[object]]:
    return page_query(OrderFilter(**wanted), 50, None)


def money(kind: str, **wanted: Any) -> tuple[str, Sequence[object]]:
    return money_query(ALL, MoneyFilter(kind, **wanted), 50, None)


def tickets(sort: Sort, *, state: str = "resolved", severity: str | None = None) -> tuple[str, Sequence[object]]:
    return LISTS[sort], (state, None, severity, None, None, False, None, 100)


ASKED: dict[str, tuple[str, Sequence[object]]] = {
    "orders": orders(),
    "orders that are late to pay": orders(payment_status="REFUNDED"),
    "orders that ended": orders(status="COMPLETED"),
    "orders of a shop": orders(channel="tmall"),
    "orders that need somebody": orders(needs_attention=True),
    "an order": orders(number="C900"),
    "what was searched for": orders(search="C900"),
    "orders that should have left": orders(due_before=NOW),
    "payments": money("payments"),
    "payments of a day": money("payments", day=DAY.date()),
    "refunds that wait": money("refunds", waits=True),
    "money from outside": money("outside"),
    "tickets by severity": tickets(Sort.SEVERITY),
    "resolved tickets of one severity": tickets(Sort.AGE, severity="info"),
    "resolved tickets by age": tickets(Sort.AGE),
    "newest resolved tickets": tickets(Sort.NEWEST),
    "open tickets": tickets(Sort.SYSTEM, state="open"),
    "tickets of an order": (tickets_store.LIST, (None, ORDER, None, None, None, 50)),
    "questions of an order": (approvals.LIST, (None, ORDER, None, 100)),
    "open questions": (approvals.LIST, ("open", None, None, 100)),
    "what an automation did": (desk.RUNS, ("tag-1", None, None, None, 50, "automation:")),
    "messages": (callbacks.MESSAGES, (None, None, None, None, None, None, 51)),
    "messages of a source": (callbacks.MESSAGES, (None, None, None, "wechat", None, None, 51)),
    "parked messages": (callbacks.MESSAGES, (None, None, "parked", None, None, None, 51)),
    "messages of an order": (callbacks.MESSAGES, (None, None, None, None, ORDER, None, 51)),
    "the inbox by state": (listing.LIST, ("parked", None, None, None, 100)),
    "the inbox by order": (listing.LIST, (None, None, ORDER, None, 100)),
    "refusals": (listing.REFUSALS, (None, None, 100)),
    "what may be replayed": (replaying.SELECT, (["parked", "dead"], None, None, None, None, None, None, 100)),
    "what of an order may be replayed": (
        replaying.SELECT, (["parked", "dead"], None, None, None, None, None, ORDER, 100),
    ),
    "deliveries": (subscriptions.DELIVERIES, ("crm", None, None, None, 100)),
    "failed deliveries": (subscriptions.DELIVERIES, ("crm", "failed", None, None, 100)),
    "one event again": (subscriptions.AGAIN, ("crm", NOW, "evt_1", NOW)),
    "failed events again": (subscriptions.AGAIN, ("crm", NOW, None, DAY)),
    "pages of deliveries": (callbacks.DELIVERIES, (None, None, "crm", None, 51)),
    "cases of an order": (reading.LIST, (ORDER, None, 50)),
    "what the bills lack": (bill_gaps.MISSING, ("wechat", DAY)),
}  # fmt: skip

# What is looked up by a time has an index by blocks, which is worth more than it costs where there are many: here it is
# seen with the other ways forbidden.
BY_TIME: dict[str, tuple[str, Sequence[object]]] = {
    "happenings of " + trigger: (f"SELECT h.* FROM ({PAST[trigger]}) h {happenings._TIMES}", (DAY, NOW, 100))  # noqa: S608
    for trigger in PAST if "$4" not in PAST[trigger]
} | {
    "when the first order came": (trade_bills.FIRST, (NOW - timedelta(days=9),)),
    "payments of a day": (measures.DELAYS, (DAY.date(),)),
    "calls of an hour": (callback_rates.BUCKETS, (HOUR, NOW, None)),
    "messages of an hour": (
        callbacks.ACCEPTED, (HOUR, NOW, 12, HOUR.timestamp(), NOW.timestamp()),
    ),
    "events of a day": (measures.ACCURACY, (DAY.date(),)),
}  # fmt: skip


async def scans(
    full: Pool, question: tuple[str, Sequence[object]], forbidden: str = "SET LOCAL enable_seqscan = on"
) -> list[str]:
    async with full.acquire() as connection:
        partial = {row[0] for row in await connection.fetch(PARTIAL)}
        async with connection.transaction():
            await connection.execute(forbidden)
            return sorted(set(read_whole(await plan_with(connection, *question), GROWING, partial)))


@pytest.mark.parametrize("name", ASKED)
async def test_a_list_reads_what_it_shows(full: Pool, name: str) -> None:
    assert await scans(full, ASKED[name]) == []


@pytest.mark.parametrize("name", BY_TIME)
async def test_what_is_looked_up_by_its_time_has_an_index_by_blocks(full: Pool, name: str) -> None:
    assert await scans(full, BY_TIME[name], "SET LOCAL enable_seqscan = off") == []
