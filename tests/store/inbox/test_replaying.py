"""Delivering messages once more: which ones, what that would do, and that it happens only to those."""

from datetime import timedelta

from domain.facts import Fact, Kind
from domain.inbox.replaying import Effect
from domain.records import ChildState
from domain.states import ChildStatus, Outcome, RefundStatus
from store.audit.audit import AuditStore
from store.inbox.inbox import Added, InboxStore
from store.inbox.replaying import InboxReplays, Selection, effects
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.postgres import as_an_older_version
from tests.store.examples import NOW, PAYABLE, a_fact, a_refund, a_settled_order, a_write, an_event, an_order
from tests.store.inbox.test_delivery import state, stored
from tests.store.inbox.test_intake import incoming

ORDER = "SO20261120"


async def a_dead_one(inbox: InboxStore, pool: Pool, event_id: str, *facts: Fact, note: str = "broken") -> int:
    row = await stored(inbox, pool, *facts, event_id=event_id)
    await inbox.dead([row], note)
    return row


async def seen(pool: Pool, row: int) -> list[tuple[Effect, str, str]]:
    (preview,) = await InboxReplays(pool).preview([row])
    return [(f.effect, f.before, f.after) for f in preview.facts]


def paid(amount: int = PAYABLE, key: str = "wechat:pay:TX-9") -> Fact:
    return a_fact(key, order_no=ORDER, amount_minor=amount, currency="CNY", transaction_id="TX-9")


def moved(kind: Kind, child: str = f"{ORDER}-01") -> Fact:
    return a_fact(f"wms:{child}:{kind}", kind=kind, child_no=child, occurred_at=NOW + timedelta(hours=1))


async def test_rows_are_selected_by_state_source_reason_time_and_order(inbox: InboxStore, pool: Pool) -> None:
    dead = await a_dead_one(inbox, pool, "e-1", note="Too Large for a signal")
    parked = await stored(inbox, pool, a_fact(order_no="SO999999"), event_id="e-2")
    await inbox.park([parked], "its order is not known yet")
    await stored(inbox, pool, event_id="e-3")
    store = InboxReplays(pool)
    assert await store.select(Selection(), 9) == [dead, parked]
    assert await store.select(Selection(states=("dead",)), 9) == [dead]
    assert await store.select(Selection(reason="too large"), 9) == [dead]
    assert await store.select(Selection(source="tms"), 9) == []
    assert await store.select(Selection(order_no="SO999999"), 9) == [parked]
    assert await store.select(Selection(since=NOW, until=NOW), 9) == []
    assert await store.select(Selection(since=NOW), 1) == [dead]


async def test_the_numbers_of_parcels_and_refunds_lead_to_their_order_too(
    orders: OrderStore, inbox: InboxStore, pool: Pool
) -> None:
    await a_settled_order(orders)
    await orders.write(a_write(seq=2, refunds=(a_refund("R-1"),)))
    child = await a_dead_one(inbox, pool, "e-1", moved(Kind.PICKING))
    refund = await a_dead_one(inbox, pool, "e-2", a_fact("r", kind=Kind.REFUND_SUCCEEDED, refund_no="R-1"))
    await a_dead_one(inbox, pool, "e-3", moved(Kind.PICKING, "SO20261121-01"))
    assert await InboxReplays(pool).select(Selection(order_no=ORDER), 9) == [child, refund]


async def test_the_diff_of_a_payment_tells_whether_it_fits(orders: OrderStore, inbox: InboxStore, pool: Pool) -> None:
    fits = await a_dead_one(inbox, pool, "e-1", paid())
    assert await seen(pool, fits) == [(Effect.PARKS, "", "")], "no such order"
    await orders.register(an_order(), "run-1", NOW)
    assert await seen(pool, fits) == [(Effect.MOVES, "PENDING_PAYMENT", "AWAITING_SHIPMENT")]
    short = await a_dead_one(inbox, pool, "e-2", paid(PAYABLE - 1))
    assert await seen(pool, short) == [(Effect.MISMATCH, "PENDING_PAYMENT", "PENDING_PAYMENT")]


async def test_the_diff_of_what_was_applied_is_a_duplicate(orders: OrderStore, inbox: InboxStore, pool: Pool) -> None:
    await a_settled_order(orders)
    await orders.write(a_write(seq=2, events=(an_event("wechat:pay:TX-9", Outcome.APPLIED),)))
    row = await a_dead_one(inbox, pool, "e-1", paid())
    assert await seen(pool, row) == [(Effect.DUPLICATE, "AWAITING_SHIPMENT", "AWAITING_SHIPMENT")]


async def test_the_diff_of_a_parcel_follows_its_states(orders: OrderStore, inbox: InboxStore, pool: Pool) -> None:
    await a_settled_order(orders)
    child = f"{ORDER}-01"
    row = await a_dead_one(inbox, pool, "e-1", moved(Kind.PICKING), moved(Kind.SIGNED))
    expected = {
        ChildStatus.BACKORDER: [(Effect.HELD, "BACKORDER", "BACKORDER")] * 2,
        ChildStatus.RELEASED: [(Effect.MOVES, "RELEASED", "PICKING"), (Effect.MOVES, "RELEASED", "SIGNED")],
        ChildStatus.IN_TRANSIT: [(Effect.STALE, "IN_TRANSIT", "IN_TRANSIT"), (Effect.MOVES, "IN_TRANSIT", "SIGNED")],
        ChildStatus.CANCELLED: [(Effect.STALE, "CANCELLED", "CANCELLED"), (Effect.MISMATCH, "CANCELLED", "CANCELLED")],
    }
    for seq, (status, told) in enumerate(expected.items(), 2):
        await orders.write(a_write(seq=seq, children=(ChildState(child_no=child, status=status),)))
        assert await seen(pool, row) == told


async def test_the_diff_of_a_refund_compares_the_amounts(orders: OrderStore, inbox: InboxStore, pool: Pool) -> None:
    await a_settled_order(orders)
    await orders.write(a_write(seq=2, refunds=(a_refund("R-1", 100),)))

    async def told(event_id: str, amount: int) -> list[tuple[Effect, str, str]]:
        fact = a_fact(event_id, kind=Kind.REFUND_SUCCEEDED, refund_no="R-1", amount_minor=amount)
        return await seen(pool, await a_dead_one(inbox, pool, event_id, fact))

    assert await told("e-1", 100) == [(Effect.MOVES, "REQUESTED", "SUCCEEDED")]
    assert await told("e-2", 99) == [(Effect.MISMATCH, "REQUESTED", "REQUESTED")]
    await orders.write(a_write(seq=3, refunds=(a_refund("R-1", 100, RefundStatus.SUCCEEDED),)))
    assert await told("e-3", 100) == [(Effect.STALE, "SUCCEEDED", "SUCCEEDED")]


async def test_looking_changes_nothing_and_replaying_only_what_was_named(inbox: InboxStore, pool: Pool) -> None:
    one, other = await a_dead_one(inbox, pool, "e-1"), await a_dead_one(inbox, pool, "e-2")
    store = InboxReplays(pool)
    await store.preview([one, other])
    assert (await state(pool, one), await state(pool, other)) == ("dead", "dead")
    assert await store.replay([one, 999], "anna", NOW) == 1
    assert (await state(pool, one), await state(pool, other)) == ("received", "dead")
    (entry,) = await AuditStore(pool).list()
    assert (entry.actor, entry.action, entry.detail) == ("anna", "event.replay", {"ids": [one]})
    assert [r.id for r in await inbox.claim(9, 60, NOW + timedelta(days=3650))] == [one]


async def test_what_holds_no_fact_is_never_replayed(inbox: InboxStore, pool: Pool) -> None:
    await inbox.add_many([incoming("e-1", facts=())])
    (row,) = [r["id"] for r in await pool.fetch("SELECT id FROM inbox")]
    store = InboxReplays(pool)
    assert await store.select(Selection(ids=(row,), states=("kept",)), 9) == []
    assert await store.replay([row], "anna", NOW) == 0


async def test_unreadable_facts_are_said_and_hide_no_other_row(inbox: InboxStore, pool: Pool) -> None:
    one, other = await a_dead_one(inbox, pool, "e-1"), await a_dead_one(inbox, pool, "e-2")
    await as_an_older_version(pool, f"""UPDATE inbox SET facts = '[{{"kind": "OLD"}}]' WHERE id = {one}""")  # noqa: S608
    previews = await InboxReplays(pool).preview([one, other])
    assert [effects(p) for p in previews] == [(Effect.UNREADABLE,), (Effect.PARKS,)]


async def test_the_second_content_of_an_event_id_is_kept_once_and_can_be_replayed(
    inbox: InboxStore, pool: Pool
) -> None:
    second = incoming("e-1", "something else", body=b"second", facts=(a_fact("other", order_no="SO20261121"),))
    await inbox.add_many([incoming("e-1")])
    for _ in range(2):
        assert await inbox.add_many([second]) == [Added.CONFLICT]
    store = InboxReplays(pool)
    (row,) = await store.select(Selection(states=("conflicting",)), 9)
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 2
    (first,) = await inbox.claim(9, 60, NOW)
    await inbox.mark_delivered([first.id])
    await store.replay([row], "anna", NOW)
    (claimed,) = await inbox.claim(9, 60, NOW + timedelta(days=3650))
    assert (claimed.id, [f.order_no for f in claimed.facts]) == (row, ["SO20261121"])
    shown = await pool.fetch("SELECT * FROM callback_buckets($1, $2)", NOW, NOW + timedelta(hours=1))
    assert [row["received"] for row in shown] == [1], "the second was refused; its copy is no accepted call"
