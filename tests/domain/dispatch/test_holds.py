"""What a hold is on, and what an order's book of holds remembers of it."""

from datetime import UTC, datetime

from domain.access.authority import AUTHORITY, RELEASE
from domain.dispatch.holds import BY_HAND, KEPT, Hold, HoldEnd, HoldKind
from workflows.durable.carrying import give, take
from workflows.order.holds.book import HoldBook

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def book() -> HoldBook:
    return HoldBook("SO1")


def placed(on: HoldBook, child_no: str | None = None) -> Hold:
    return on.place(HoldKind.OTHER, "hand", "why", "u-cs", NOW, child_no=child_no)


def test_a_hold_on_a_child_goes_over_to_what_ships_in_its_place_and_to_nothing_else() -> None:
    holds = book()
    placed(holds, "SO1-01")
    holds.inherit("SO1-03", ("SO1-02",))
    holds.inherit("SO1-04", ("SO1-01", "SO1-02"))
    holds.inherit("SO1-05", ("SO1-04",))
    assert [n for n in range(1, 7) if holds.keep(f"SO1-0{n}")] == [1, 4, 5]


def test_a_hold_on_the_order_is_on_every_child_but_those_for_which_it_came_too_late() -> None:
    holds = book()
    hold = placed(holds)
    holds.too_late(hold.hold_id, "SO1-01")
    assert not holds.keep("SO1-01") and holds.keep("SO1-02")
    holds.end(hold.hold_id, HoldEnd.RELEASED, "u-sup", NOW)
    assert not holds.keep("SO1-02")


def test_of_two_that_end_a_hold_the_first_counts() -> None:
    holds = book()
    hold = placed(holds)
    holds.end(hold.hold_id, HoldEnd.RELEASED, "u-sup", NOW, "seen")
    holds.end(hold.hold_id, HoldEnd.CAUSE, "system", NOW)
    found = holds.find(hold.hold_id)
    assert found is not None and (found.end, found.ended_by) == (HoldEnd.RELEASED, "u-sup")


def test_a_new_run_knows_every_hold_and_numbers_go_on() -> None:
    holds, again = book(), book()
    first, second = placed(holds), placed(holds, "SO1-02")
    holds.end(first.hold_id, HoldEnd.RELEASED, "u-sup", NOW)
    holds.take_changed()
    give(again, take(holds))
    assert again.all_known == holds.all_known and again.take_changed() == ()
    assert placed(again).hold_id == "H-SO1-3" and again.keep("SO1-02") and second.is_open


def test_a_refused_write_is_told_again_as_the_hold_is_then() -> None:
    holds = book()
    hold = placed(holds)
    told = holds.take_changed()
    holds.too_late(hold.hold_id, "SO1-01")
    holds.put_back(told)
    (now,) = holds.take_changed()
    assert now.too_late == ("SO1-01",)


def test_what_has_ended_and_is_written_is_forgotten_beyond_a_bound_and_open_ones_never() -> None:
    holds = book()
    open_one = placed(holds)
    for _ in range(KEPT + 20):
        holds.end(placed(holds).hold_id, HoldEnd.RELEASED, "u-sup", NOW)
        holds.take_changed()
    assert len(holds.all_known) == KEPT + 1 and holds.find(open_one.hold_id) == open_one


def test_everything_that_somebody_may_hold_for_somebody_may_release() -> None:
    assert {row for row in AUTHORITY if row.startswith(RELEASE)} == {f"{RELEASE}: {kind}" for kind in BY_HAND}
    assert HoldKind.CUSTOMS not in BY_HAND, "customs let go by themselves"
