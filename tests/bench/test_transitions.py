from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scenarios.transitions import BadTable, Event, Fit, Move, Progress, Table, UnknownEvent, receive
from domain.states import Outcome

RANK = ("UNPAID", "PAID", "SHIPPED", "DELIVERED", "DONE")
TABLE = Table(
    {
        "PAY": Move(("UNPAID",), "PAID"),
        "STOCK": Move(("PAID",), "PAID"),
        "WAYBILL": Move(("PAID",), "SHIPPED"),
        "COLLECT": Move(("PAID", "SHIPPED"), "SHIPPED"),
        "SIGN": Move(("SHIPPED",), "DELIVERED"),
        "RECEIVE": Move(("SHIPPED", "DELIVERED"), "DONE"),
    },
    RANK,
)


def play(*kinds: str, table: Table = TABLE) -> Progress:
    """Events in arrival order; the id of an event is its kind, so a kind twice is a duplicate."""
    progress = Progress(table.rank[0])
    for kind in kinds:
        receive(table, progress, Event(kind, kind))
    return progress


@st.composite
def gapless_tables(draw: st.DrawFn) -> Table:
    """Each event applies from some state on, up to just below its target or to the target itself."""
    rank = [f"S{n}" for n in range(draw(st.integers(2, 6)))]
    moves = {}
    for n in range(draw(st.integers(1, 7))):
        first = draw(st.integers(0, len(rank) - 1))
        to = draw(st.integers(first, len(rank) - 1))
        last = to + 1 if first == to else draw(st.integers(to, to + 1))
        moves[f"E{n}"] = Move(tuple(rank[first:last]), rank[to])
    return Table(moves, tuple(rank))


def test_the_table_of_orders_is_order_free() -> None:
    assert TABLE.order_free


@pytest.mark.parametrize("size", range(1, 7))
def test_every_permutation_of_every_set_of_events_ends_in_the_same_state(size: int) -> None:
    ends: dict[frozenset[str], set[str]] = {}
    for kinds in permutations(TABLE.moves, size):
        ends.setdefault(frozenset(kinds), set()).add(play(*kinds).state)
    assert all(len(states) == 1 for states in ends.values())


@given(gapless_tables(), st.data())
def test_any_order_and_repetition_ends_in_the_same_state_for_any_order_free_table(
    table: Table, data: st.DataObject
) -> None:
    assert table.order_free
    kinds = data.draw(st.lists(st.sampled_from(sorted(table.moves)), max_size=12))
    shuffled = data.draw(st.permutations(kinds + data.draw(st.lists(st.sampled_from(kinds or ["E0"]), max_size=5))))
    if not kinds:
        return
    assert play(*kinds, table=table).state == play(*shuffled, table=table).state


@given(st.lists(st.sampled_from(sorted(TABLE.moves)), max_size=15))
def test_every_event_is_accounted_for_exactly_once_and_the_rank_never_falls(kinds: list[str]) -> None:
    progress = Progress("UNPAID")
    ranks = [0]
    for kind in kinds:
        receive(TABLE, progress, Event(kind, kind))
        ranks.append(TABLE.rank_of(progress.state))
    assert ranks == sorted(ranks)
    told = progress.applied + progress.recorded_stale + [event.event_id for event in progress.held]
    assert sorted(told) == sorted(set(kinds))
    assert len(progress.duplicates) == len(kinds) - len(set(kinds))
    assert set(progress.held_then_applied) <= set(progress.applied)


def test_an_early_event_is_held_and_applied_when_the_state_fits() -> None:
    progress = play("PAY", "SIGN", "COLLECT")
    assert progress == Progress("DELIVERED", ["PAY", "COLLECT", "SIGN"], held_then_applied=["SIGN"])


def test_a_held_receipt_does_not_overtake_a_held_signature() -> None:
    progress = play("PAY", "RECEIVE", "SIGN", "COLLECT")
    assert progress.applied == ["PAY", "COLLECT", "SIGN", "RECEIVE"]


def test_a_late_event_is_recorded_and_moves_nothing() -> None:
    progress = play("PAY", "COLLECT", "STOCK", "WAYBILL")
    assert (progress.state, progress.recorded_stale) == ("SHIPPED", ["STOCK", "WAYBILL"])


def test_a_held_event_whose_moment_passes_is_recorded_as_late() -> None:
    table = Table({"JUMP": Move(("A",), "C"), "STEP": Move(("B",), "C")}, ("A", "B", "C"))
    progress = play("STEP", "JUMP", table=table)
    assert (progress.state, progress.recorded_stale, progress.held) == ("C", ["STEP"], [])


def test_an_event_whose_moment_never_comes_stays_held() -> None:
    assert play("SIGN").held == [Event("SIGN", "SIGN")]


@pytest.mark.parametrize("first", ["PAY", "SIGN", "STOCK"])
def test_a_repeated_id_is_a_duplicate_whatever_became_of_the_first(first: str) -> None:
    progress = play("PAY", "COLLECT", first) if first == "STOCK" else play(first)
    assert receive(TABLE, progress, Event(first, first)) is Outcome.DUPLICATE


def test_an_event_without_a_row_is_refused_before_anything_is_recorded() -> None:
    progress = Progress("UNPAID")
    with pytest.raises(UnknownEvent, match="no transition is listed for PYA"):
        receive(TABLE, progress, Event("1", "PYA"))
    assert progress == Progress("UNPAID")


def test_a_state_between_two_origins_is_early() -> None:
    table = Table({"E": Move(("A", "C"), "D")}, ("A", "B", "C", "D"))
    assert table.fit("B", "E") is Fit.EARLY
    assert not table.order_free


def test_a_table_that_leads_back_is_not_order_free() -> None:
    assert not Table({"BACK": Move(("B",), "A")}, ("A", "B")).order_free


@pytest.mark.parametrize(
    ("moves", "rank", "text"),
    [
        ({"E": Move(("A",), "X")}, ("A", "B"), "names the state X"),
        ({"E": Move((), "A")}, ("A", "B"), "in no state at all"),
        ({}, ("A", "A"), "stands twice"),
    ],
)
def test_a_table_that_contradicts_its_ranks_is_refused(
    moves: dict[str, Move], rank: tuple[str, ...], text: str
) -> None:
    with pytest.raises(BadTable, match=text):
        Table(moves, rank)
