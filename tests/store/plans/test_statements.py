"""No statement reads a table that grows with the orders from end to end, but those that say here why they do."""

import pytest
from asyncpg import PostgresSyntaxError, UndefinedTableError
from asyncpg.exceptions import IndeterminateDatatypeError

import activities
import console
import relay
import starter
import store
from bench.load.console.rows import tables
from store.pool import Pool
from tests.plans import PARTIAL, generic_plan, read_whole, statements

GROWING = set(tables()) - {"skus", "stock"}

# Conditions may be left out, or a time says how much is read: what these read for what people ask is in test_lists.py.
NARROWED = {
    "store.approvals.approvals.LIST", "store.automation.desk.RUNS", "store.automation.happenings.PAST[order_split]",
    "store.console.callbacks.ACCEPTED", "store.console.callbacks.DELIVERIES", "store.console.callbacks.MESSAGES",
    "store.console.order_page.TICKETS", "store.inbox.callback_rates.BUCKETS", "store.inbox.listing.LIST",
    "store.inbox.listing.REFUSALS", "store.inbox.replaying.SELECT", "store.outbound.subscriptions.AGAIN",
    "store.outbound.subscriptions.DELIVERIES", "store.outside_money.bill_gaps.MISSING",
    "store.outside_money.trade_bills.FIRST", "store.polling.measures.ACCURACY", "store.polling.measures.DELAYS",
    "store.polling.reconciling.MEASURE", "store.returns.reading.LIST", "store.tickets.queue.LISTS[age]",
    "store.tickets.queue.LISTS[newest]", "store.tickets.queue.LISTS[severity]", "store.tickets.queue.LISTS[system]",
}  # fmt: skip

WHOLE = {
    "store.console.setting_up.LOOK": "stops at the first thousand",
    "store.insight.reading.ORDERS": "a report of a period",
    "store.insight.reading.PAYMENTS": "a report of a period",
    "store.insight.reading.TRANSITIONS": "a report of a period",
    "store.insight.told.PLACED": "a report of a period",
    "store.insight.told.WRITTEN": "a report of a period",
    "store.outside_money.booking.LIST": "money that came from outside: the exception",
    "store.ownership.check.COUNT_ALL": "`oms doctor` over ended orders, too, which reads them all",
    "store.polling.polling.PRUNE": "once a night; what nobody asked about lately is gone from it",
    "store.rules.past_plans._PLANNED": "rules tried over past orders",
}

# Begin as a statement does, and are a part of one.
PARTS = {
    "store.automation.happenings.PAST[child_waits]", "store.automation.happenings.PAST[waybill_silent]",
    "store.orders.children.UPDATE", "store.ownership.check.OWNERS", "store.polling.due.STILL",
}  # fmt: skip


@pytest.mark.timeout(300)
async def test_no_statement_reads_a_growing_table_whole(full: Pool) -> None:
    found: dict[str, list[str]] = {}
    broken: dict[str, str] = {}
    async with full.acquire() as connection:
        partial = {row[0] for row in await connection.fetch(PARTIAL)}
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        for name, text in statements(store, relay, starter, console, activities).items():
            is_part = name in PARTS or name.rsplit(".", 1)[-1].startswith("_")
            try:
                plan = await generic_plan(connection, text)
            except (PostgresSyntaxError, UndefinedTableError, IndeterminateDatatypeError) as why:
                if not is_part:
                    broken[name] = str(why)
                continue
            if not (is_part and name not in WHOLE) and (scans := sorted(set(read_whole(plan, GROWING, partial)))):
                found[name] = scans
    assert not broken
    assert {name: found[name] for name in found.keys() - NARROWED - WHOLE.keys()} == {}
    assert WHOLE.keys() <= found.keys(), "those that no longer do need no excuse"
