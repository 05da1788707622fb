"""Rows are claimed by one relay, parked until their order is there, and end as what the order made of them."""

import asyncio
from datetime import timedelta

import pytest

from domain.facts import Fact, Kind
from domain.inbox.event_routing import Disposition, fate
from domain.records import ChildState
from domain.states import ChildStatus, OrderStatus, Outcome
from store.inbox.inbox import InboxStore
from store.inbox.listing import InboxListing
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.stock.ledger import StockStore
from tests.postgres import as_an_older_version
from tests.store.cases import a_case, a_case_write, an_arrived_order
from tests.store.examples import NOW, a_fact, a_refund, a_settled_order, a_write, an_event, an_order
from tests.store.inbox.test_intake import incoming

LATER = NOW + timedelta(minutes=5)


async def stored(inbox: InboxStore, pool: Pool, *facts: Fact, event_id: str = "e-1") -> int:
    await inbox.add_many([incoming(event_id, facts=facts or (a_fact(order_no="SO20261120"),))])
    row_id: int = await pool.fetchval("SELECT max(id) FROM inbox")
    return row_id


async def state(pool: Pool, row_id: int) -> str:
    row = await InboxListing(pool).get(row_id)
    assert row is not None
    return row.state


async def test_two_relays_never_claim_the_same_row(inbox: InboxStore) -> None:
    await inbox.add_many([incoming(f"e-{n}") for n in range(200)])

    # Whoever is slower to connect has a share all the same: each has claimed once before either goes on.
    begun = await asyncio.gather(*(inbox.claim(7, 60, NOW) for _ in range(2)))

    async def relay(n: int) -> list[int]:
        claimed = [row.id for row in begun[n]]
        while rows := await inbox.claim(7, 60, NOW):
            claimed += [row.id for row in rows]
        return claimed

    first, second = await asyncio.gather(relay(0), relay(1))
    assert first and second, "both had their share"
    assert len(first) + len(second) == len({*first, *second}) == 200


async def test_rows_are_claimed_oldest_first_with_their_number_on_every_fact(inbox: InboxStore) -> None:
    await inbox.add_many([incoming(e, traceparent="00-ab") for e in ("z", "a", "m")])
    rows = await inbox.claim(2, 60, NOW)
    assert [row.event_id for row in rows] == ["z", "a"]
    assert [row.facts[0].inbox_id for row in rows] == [row.id for row in rows]
    assert rows[0].traceparent == "00-ab"


async def test_a_claim_comes_back_when_its_lease_ends_and_counts_its_attempts(inbox: InboxStore) -> None:
    await inbox.add_many([incoming("e-1")])
    assert [r.attempts for r in await inbox.claim(9, 60, NOW)] == [1]
    assert await inbox.claim(9, 60, NOW + timedelta(seconds=59)) == []
    assert [r.attempts for r in await inbox.claim(9, 60, NOW + timedelta(seconds=60))] == [2]


async def test_a_row_put_off_is_not_claimed_before_its_time(inbox: InboxStore, pool: Pool) -> None:
    row = await stored(inbox, pool)
    await inbox.claim(9, 60, NOW)
    await inbox.retry_later([row], LATER, "Temporal is away")
    assert await inbox.claim(9, 60, LATER - timedelta(seconds=1)) == []
    assert [r.id for r in await inbox.claim(9, 60, LATER)] == [row]


async def test_a_delivered_row_is_not_claimed_again(inbox: InboxStore, pool: Pool) -> None:
    row = await stored(inbox, pool)
    await inbox.mark_delivered([row])
    assert await inbox.claim(9, 60, LATER) == []
    assert await state(pool, row) == "delivered"


async def test_a_row_nobody_can_read_is_dead_and_holds_up_no_other(inbox: InboxStore, pool: Pool) -> None:
    bad = await stored(inbox, pool)
    await as_an_older_version(pool, """UPDATE inbox SET facts = '[{"kind": "NO_LONGER_KNOWN"}]'""")
    good = await stored(inbox, pool, event_id="e-2")
    assert [r.id for r in await inbox.claim(9, 60, NOW)] == [good]
    assert await state(pool, bad) == "dead"


async def test_what_the_order_made_of_it_stays_when_the_relay_marks_it_delivered_late(
    orders: OrderStore, inbox: InboxStore, pool: Pool
) -> None:
    await orders.register(an_order(), "run-1", NOW)
    row = await stored(inbox, pool)
    await inbox.claim(9, 60, NOW)
    await orders.write(a_write(events=(an_event(inbox_id=row),)))
    await inbox.mark_delivered([row])
    await inbox.park([row], "no order")
    desk = await InboxListing(pool).get(row)
    assert desk is not None
    assert (desk.state, desk.order_no, desk.delivered_at is not None) == ("applied", "SO20261120", True)


async def test_a_row_that_its_order_has_heard_was_delivered_though_nobody_marks_it(
    orders: OrderStore, inbox: InboxStore, pool: Pool
) -> None:
    await orders.register(an_order(), "run-1", NOW)
    rows = [await stored(inbox, pool, event_id=f"e-{n}") for n in (1, 2, 3)]
    await orders.write(a_write(events=(an_event(inbox_id=rows[0]),)))
    several = tuple(an_event(f"k:{n}", inbox_id=row) for n, row in enumerate(rows[1:]))
    await orders.write(a_write(seq=2, events=several))
    assert await pool.fetchval("SELECT bool_and(delivered_at IS NOT NULL AND state = 'applied') FROM inbox")


async def test_a_row_that_a_case_has_heard_was_delivered_too(
    orders: OrderStore, stock: StockStore, inbox: InboxStore, pool: Pool
) -> None:
    returns = ReturnStore(pool)
    await an_arrived_order(orders, stock)
    case = await a_case(returns, pool)
    row = await stored(inbox, pool)
    await returns.write(a_case_write(case.return_no, events=(an_event("k:back", inbox_id=row),)))
    await inbox.mark_delivered([row])
    desk = await InboxListing(pool).get(row)
    assert desk is not None
    assert (desk.state, desk.delivered_at is not None) == ("applied", True)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([Outcome.HELD], "held"),
        ([Outcome.HELD, Outcome.APPLIED], "applied"),
        ([Outcome.HELD, Outcome.STALE], "stale"),
        ([Outcome.APPLIED, Outcome.DUPLICATE], "applied"),
        ([Outcome.DUPLICATE, Outcome.MISMATCH], "mismatch"),
    ],
)
async def test_the_best_that_was_made_of_its_facts_counts_for_the_row(
    orders: OrderStore, inbox: InboxStore, pool: Pool, told: list[Outcome], expected: str
) -> None:
    await orders.register(an_order(), "run-1", NOW)
    row = await stored(inbox, pool)
    for seq, outcome in enumerate(told, start=1):
        await orders.write(a_write(seq=seq, events=(an_event(f"k:{seq}", outcome, inbox_id=row),)))
    assert await state(pool, row) == expected


async def test_a_parked_row_is_delivered_when_its_order_appears(
    orders: OrderStore, inbox: InboxStore, pool: Pool
) -> None:
    row = await stored(inbox, pool)
    await inbox.park([row], "order SO20261120 is not known")
    assert await inbox.unpark_ready() == 0
    await orders.register(an_order(), "run-1", NOW)
    assert await inbox.unpark_ready() == 1
    assert [r.id for r in await inbox.claim(9, 60, NOW + timedelta(days=3650))] == [row]


async def test_a_row_stays_parked_until_every_fact_has_a_living_order(
    orders: OrderStore, inbox: InboxStore, pool: Pool
) -> None:
    row = await stored(inbox, pool, a_fact("k:1", order_no="SO20261120"), a_fact("k:2", order_no="SO-MISSING"))
    await inbox.park([row], "an order is not known")
    await orders.register(an_order(), "run-1", NOW)
    assert await inbox.unpark_ready() == 0
    await orders.register(an_order("SO-MISSING"), "run-1", NOW)
    await orders.write(a_write("SO-MISSING", status=OrderStatus.CLOSED, ended=True))
    assert await inbox.unpark_ready() == 0, "an ended order hears nothing; unparking would go round for ever"


async def test_rows_parked_for_too_long_are_found_for_tickets(inbox: InboxStore, pool: Pool) -> None:
    row = await stored(inbox, pool)
    await inbox.park([row], "not known")
    assert await inbox.overdue_parked(NOW) == []
    assert [r.id for r in await inbox.overdue_parked(NOW + timedelta(hours=4))] == [row]


async def test_facts_find_their_order_by_any_number(orders: OrderStore, inbox: InboxStore) -> None:
    await a_settled_order(orders)
    child = ChildState(child_no="SO20261120-02", status=ChildStatus.PACKED, waybill_no="W1", carrier="SF")
    await orders.write(a_write(seq=2, children=(child,), refunds=(a_refund("R-1"),), ended=True))
    facts = [
        a_fact("by:order", order_no="SO20261120"),
        a_fact("by:child", child_no="SO20261120-02", kind=Kind.PACKED),
        a_fact("by:waybill", waybill_no="W1", carrier="SF", kind=Kind.SIGNED),
        a_fact("by:waybill, other carrier's name", waybill_no="W1", carrier="shunfeng", kind=Kind.SIGNED),
        a_fact("by:refund", refund_no="R-1", kind=Kind.REFUND_SUCCEEDED),
        a_fact("unknown:child", child_no="SO-NONE-01", kind=Kind.PACKED),
        a_fact("unknown:waybill", waybill_no="W-NONE", kind=Kind.SIGNED),
    ]
    found = await inbox.orders_of(facts)
    assert set(found) == {fact.key for fact in facts[:5]}
    targets = {key: one for key, (one,) in found.items()}
    assert {t.order_no for t in targets.values()} == {"SO20261120"} and all(t.ended for t in targets.values())
    assert targets["by:waybill"].child_status is targets["by:child"].child_status is ChildStatus.PACKED
    assert targets["by:order"].child_no is None


async def test_a_number_that_a_child_bears_already_is_no_news_of_it(orders: OrderStore, inbox: InboxStore) -> None:
    await a_settled_order(orders)
    child = ChildState(child_no="SO20261120-02", status=ChildStatus.SIGNED, waybill_no="W1", carrier="SF")
    await orders.write(a_write(seq=2, children=(child,), ended=True))
    told = {
        a_fact(f"{child_no}:{no}", child_no=child_no, waybill_no=no, carrier="SF", kind=Kind.WAYBILL_RETURNED): known
        for child_no, no, known in (
            ("SO20261120-02", "W1", True),
            ("SO20261120-02", "W2", False),
            ("SO20261120-01", "W1", False),
        )
    }
    told[a_fact("no carrier", child_no=child.child_no, waybill_no="W1", kind=Kind.WAYBILL_RETURNED)] = True
    told[a_fact("theirs", child_no=child.child_no, waybill_no="W1", carrier="YTO", kind=Kind.WAYBILL_RETURNED)] = False
    found = await inbox.orders_of(list(told))
    assert {fact.key: found[fact.key][0].waybill_known for fact in told} == {f.key: k for f, k in told.items()}


async def test_the_number_of_a_label_that_was_voided_is_news(orders: OrderStore, inbox: InboxStore, pool: Pool) -> None:
    """Booked anew, the child went under another number: handed out under the old one it has the wrong paper."""
    await a_settled_order(orders)
    for seq, no in ((2, "VOIDED"), (3, "W1")):
        child = ChildState(child_no="SO20261120-02", status=ChildStatus.SIGNED, waybill_no=no, carrier="SF")
        await orders.write(a_write(seq=seq, children=(child,), ended=seq == 3))
    assert await pool.fetchval("SELECT count(*) FROM parcels WHERE child_no = $1", child.child_no) == 2
    late = [
        a_fact(no, child_no=child.child_no, waybill_no=no, carrier="SF", kind=Kind.WAYBILL_RETURNED)
        for no in ("VOIDED", "W1")
    ]
    found = await inbox.orders_of(late)
    assert {f.key: fate(f, found[f.key][0]) for f in late} == {"VOIDED": Disposition.CLOSED, "W1": Disposition.STALE}


async def test_of_two_carriers_with_one_waybill_number_the_facts_own_carrier_is_meant(
    orders: OrderStore, inbox: InboxStore
) -> None:
    await a_settled_order(orders)
    children = tuple(
        ChildState(child_no=f"SO20261120-0{n}", status=ChildStatus.PACKED, waybill_no="W1", carrier=carrier)
        for n, carrier in ((1, "SF"), (2, "YTO"))
    )
    await orders.write(a_write(seq=2, children=children))
    found = await inbox.orders_of([a_fact(c, waybill_no="W1", carrier=c, kind=Kind.SIGNED) for c in ("SF", "YTO")])
    assert {key: t.child_no for key, (t,) in found.items()} == {"SF": "SO20261120-01", "YTO": "SO20261120-02"}


async def test_a_fact_for_an_ended_order_is_told_once_in_its_timeline_and_ends_its_row(
    orders: OrderStore, inbox: InboxStore, pool: Pool
) -> None:
    await orders.register(an_order(), "run-1", NOW)
    row = await stored(inbox, pool)
    event = an_event("k:late", Outcome.STALE, inbox_id=row)
    for _ in range(2):
        await inbox.finish_outside([("SO20261120", LATER, [event])])
    assert await state(pool, row) == "stale"
    assert await pool.fetchval("SELECT delivered_at IS NULL FROM inbox")  # no order has heard it
    assert [entry.result for entry in await orders.timeline("SO20261120") if entry.result] == ["STALE"]


async def test_operators_see_rows_by_state_source_and_order(inbox: InboxStore, pool: Pool) -> None:
    first = await stored(inbox, pool)
    second = await stored(inbox, pool, event_id="e-2")
    await inbox.park([first], "not known")
    desk = InboxListing(pool)
    assert [r.id for r in await desk.list(state="parked")] == [first]
    assert [r.id for r in await desk.list(source="wechat", before=second)] == [first]
    assert await desk.body(first) == b"encrypted anew each time"
