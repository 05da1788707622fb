from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import BUYER_KINDS, Fact, Kind
from domain.fulfilment.parcel_states import MOVES, RANK, RETURNS, ParcelStateMachine, can_change
from domain.states import ChildStatus, Outcome

DAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
ORDER_KINDS = {
    *BUYER_KINDS,
    Kind.PAYMENT_SUCCEEDED, Kind.PAYMENT_CLOSED, Kind.REFUND_SUCCEEDED, Kind.REFUND_ABNORMAL, Kind.REFUND_CLOSED,
    Kind.CHARGEBACK_OPENED, Kind.CHARGEBACK_WON, Kind.CHARGEBACK_LOST,
    Kind.AUTOMATION,
}  # fmt: skip
LEFT = {kind for kind, to in MOVES.items() if RANK.index(to) >= RANK.index(ChildStatus.SHIPPED)} | RETURNS


def fact(kind: Kind, hour: int = 0) -> Fact:
    key = f"t:{kind}:{hour}" if kind is Kind.COURIER_EXCEPTION else f"t:{kind}"
    return Fact(key=key, kind=kind, source="t", occurred_at=DAY + timedelta(hours=hour), child_no="SO-1-01")


def axis_after(*facts: Fact, asked_to_stop: bool = False) -> ParcelStateMachine:
    axis = ParcelStateMachine(ChildStatus.RELEASED)
    if asked_to_stop:
        axis.intercept()
    for one in facts:
        axis.apply(one)
    return axis


fact_sets = st.lists(
    st.builds(fact, st.sampled_from([kind for kind in Kind if kind not in ORDER_KINDS]), st.integers(0, 9)),
    unique_by=lambda one: one.key,
    max_size=9,
)


def contradict(facts: list[Fact]) -> bool:
    """The warehouse says stopped, somebody else has seen the parcel on the road: no order makes sense of that."""
    kinds = {one.kind for one in facts}
    return Kind.INTERCEPTED in kinds and bool(kinds & LEFT)


@given(fact_sets, st.booleans(), st.data())
def test_any_order_and_repetition_of_facts_ends_in_the_same_state(
    facts: list[Fact], asked_to_stop: bool, data: st.DataObject
) -> None:
    if contradict(facts):
        return
    repeated = data.draw(st.lists(st.sampled_from(facts), max_size=5)) if facts else []
    shuffled = data.draw(st.permutations(facts + repeated))
    one = axis_after(*facts, asked_to_stop=asked_to_stop)
    other = axis_after(*shuffled, asked_to_stop=asked_to_stop)
    assert (one.status, one.shipped) == (other.status, other.shipped)


@given(fact_sets, st.booleans(), st.data())
def test_contradicting_facts_leave_one_end_and_call_a_person_in_any_order(
    facts: list[Fact], asked_to_stop: bool, data: st.DataObject
) -> None:
    if not contradict(facts):
        return
    axis = ParcelStateMachine(ChildStatus.RELEASED)
    if asked_to_stop:
        axis.intercept()
    outcomes = [axis.apply(one).outcome for one in data.draw(st.permutations(facts))]
    assert Outcome.MISMATCH in outcomes
    # P3: shipped and cancelled never both.
    assert axis.shipped is not (axis.status is ChildStatus.CANCELLED)


@given(fact_sets, st.integers(0, 9))
def test_it_does_not_matter_which_facts_came_before_the_release(facts: list[Fact], early: int) -> None:
    if contradict(facts):
        return
    axis = ParcelStateMachine(ChildStatus.BACKORDER)
    for one in facts[:early]:
        axis.apply(one)
        assert axis.status is ChildStatus.BACKORDER
    axis.release()
    for one in facts[early:]:
        axis.apply(one)
    assert axis.status is axis_after(*facts).status
    assert axis.held == []


@given(fact_sets)
def test_the_rank_of_a_parcel_on_its_way_never_falls(facts: list[Fact]) -> None:
    axis = ParcelStateMachine(ChildStatus.RELEASED)
    reached = []
    for one in facts:
        axis.apply(one)
        reached.append(RANK.index(axis.reached))
    assert reached == sorted(reached)


@given(fact_sets)
def test_facts_that_the_relay_keeps_back_would_not_have_moved_the_state(facts: list[Fact]) -> None:
    if any(one.kind is Kind.COURIER_EXCEPTION for one in facts):
        return  # an old scan also says that an older exception is over: seen with the next fact that is let through
    everything, filtered = ParcelStateMachine(ChildStatus.RELEASED), ParcelStateMachine(ChildStatus.RELEASED)
    for one in facts:
        everything.apply(one)
        if can_change(filtered.status, one.kind):
            filtered.apply(one)
    assert filtered.status is everything.status


@given(fact_sets)
def test_a_fact_that_moves_the_status_says_from_where_to_where(facts: list[Fact]) -> None:
    axis = ParcelStateMachine(ChildStatus.RELEASED)
    for one in facts:
        before = axis.status
        applied = axis.apply(one)
        assert (applied.before, applied.after) == (before, axis.status)
        assert applied.outcome is Outcome.APPLIED or applied.before == applied.after


@pytest.mark.parametrize("so_far", [(), (Kind.WMS_ACCEPTED,), (Kind.PICKING,), (Kind.PACKED,)])
def test_a_pick_up_scan_alone_ships_the_parcel(so_far: tuple[Kind, ...]) -> None:
    axis = axis_after(*map(fact, so_far))
    assert axis.apply(fact(Kind.COLLECTED, 5)).after is ChildStatus.SHIPPED


@pytest.mark.parametrize("kind", [kind for kind in MOVES if kind is not Kind.WMS_ACCEPTED])
def test_a_later_stage_implies_the_earlier_ones(kind: Kind) -> None:
    axis = axis_after(fact(kind, 5))
    assert axis.status is MOVES[kind]
    for other in (Kind.WMS_ACCEPTED, Kind.PICKING):
        if kind is not other:
            assert axis.apply(fact(other, 1)).outcome is Outcome.STALE


@pytest.mark.parametrize("kind", sorted(LEFT | {Kind.INTERCEPT_REFUSED}))
def test_news_of_the_road_after_cancelling_goes_to_a_person(kind: Kind) -> None:
    axis = axis_after(fact(Kind.INTERCEPTED), asked_to_stop=True)
    applied = axis.apply(fact(kind, 1))
    assert (applied.outcome, axis.status) == (Outcome.MISMATCH, ChildStatus.CANCELLED)
    assert "it may have shipped" in applied.note


@pytest.mark.parametrize("kind", [Kind.PICKING, Kind.PACKED, Kind.WMS_ACCEPTED, Kind.SHORT_PICKED])
def test_late_news_from_the_warehouse_about_a_cancelled_parcel_is_stale(kind: Kind) -> None:
    assert axis_after(fact(Kind.INTERCEPTED)).apply(fact(kind)).outcome is Outcome.STALE


@pytest.mark.parametrize("kind", [Kind.WAYBILL_RETURNED, Kind.COLLECTED])
def test_shipping_overtakes_a_pending_interception(kind: Kind) -> None:
    axis = axis_after(fact(Kind.PACKED), asked_to_stop=True)
    assert axis.status is ChildStatus.INTERCEPTING
    assert axis.apply(fact(kind)).after is ChildStatus.SHIPPED
    assert axis.apply(fact(Kind.INTERCEPTED)).outcome is Outcome.MISMATCH


def test_a_refused_interception_resumes_at_the_highest_stage_heard_of() -> None:
    axis = axis_after(fact(Kind.PICKING), fact(Kind.PACKED), asked_to_stop=True)
    applied = axis.apply(fact(Kind.INTERCEPT_REFUSED))
    assert (applied.before, applied.after) == (ChildStatus.INTERCEPTING, ChildStatus.PACKED)


def test_an_exception_shows_until_a_later_scan() -> None:
    axis = axis_after(fact(Kind.COLLECTED, 1), fact(Kind.COURIER_EXCEPTION, 3))
    assert axis.status is ChildStatus.EXCEPTION
    assert axis.apply(fact(Kind.IN_TRANSIT, 4)).after is ChildStatus.IN_TRANSIT


def test_an_exception_older_than_the_newest_movement_does_not_show() -> None:
    assert axis_after(fact(Kind.OUT_FOR_DELIVERY, 4), fact(Kind.COURIER_EXCEPTION, 3)).status is (
        ChildStatus.OUT_FOR_DELIVERY
    )


def test_a_parcel_in_the_warehouse_has_no_courier_trouble_yet() -> None:
    """A void waybill is told as an exception too; it must not hide that the parcel is packed."""
    axis = axis_after(fact(Kind.PACKED, 1), fact(Kind.COURIER_EXCEPTION, 3))
    assert axis.status is ChildStatus.PACKED
    assert axis.apply(fact(Kind.COLLECTED, 2)).after is ChildStatus.EXCEPTION


def test_held_facts_are_applied_in_the_order_in_which_they_happened() -> None:
    axis = ParcelStateMachine(ChildStatus.BACKORDER)
    for kind, hour in ((Kind.COLLECTED, 5), (Kind.PICKING, 1)):
        assert axis.apply(fact(kind, hour)).outcome is Outcome.HELD
    released = axis.release()
    assert [(one.kind, applied.after) for one, applied in released] == [
        (Kind.PICKING, ChildStatus.PICKING),
        (Kind.COLLECTED, ChildStatus.SHIPPED),
    ]


@pytest.mark.parametrize("kind", sorted(ORDER_KINDS))
def test_news_of_money_says_nothing_about_a_parcel(kind: Kind) -> None:
    assert axis_after().apply(fact(kind)).outcome is Outcome.STALE


def test_every_kind_of_event_is_taken_by_an_axis() -> None:
    for kind in set(Kind) - ORDER_KINDS:
        applied = ParcelStateMachine(ChildStatus.RELEASED).apply(fact(kind))
        assert "says nothing about a parcel" not in applied.note
