"""When a lost message is made up for, and what of three books differs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.facts import Fact, Kind
from domain.polling.polling import late, next_tick, synced
from domain.polling.reconciling import SHANGHAI, BooksSnapshot, against_source, against_view, day_before, next_run
from domain.states import ChildStatus, RefundStatus

T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND, TICK = timedelta(seconds=1), timedelta(seconds=30)


@pytest.mark.parametrize(("since", "expected"), [(-5, 0), (0, 0), (1, 30), (30, 30), (31, 60), (3600, 3600)])
def test_a_tick_at_the_very_moment_counts(since: int, expected: int) -> None:
    assert next_tick(T0, TICK, T0 + since * SECOND) == T0 + expected * SECOND


@pytest.mark.parametrize(("seconds", "is_late"), [(299, False), (300, False), (301, True)])
def test_exactly_the_threshold_is_in_step(seconds: int, is_late: bool) -> None:
    assert late(T0, T0 + seconds * SECOND) is is_late


@pytest.mark.parametrize(
    ("paid", "heard", "timeout", "at", "cancelled"),
    [
        (5, None, 1800, 30, False),  # the next tick
        (5, 6, 1800, 6, False),  # its callback
        (1795, None, 1799, 1799, False),  # the deadline asks before the tick does
        (1800, None, 1800, 1800, False),  # at the last moment
        (1801, None, 1800, 1830, True),  # too late: found all the same, and given back
    ],
)
def test_who_knows_first_counts(paid: int, heard: int | None, timeout: int, at: int, cancelled: bool) -> None:
    found = synced(
        T0 + paid * SECOND,
        heard_at=None if heard is None else T0 + heard * SECOND,
        first_tick=T0,
        interval=TICK,
        timeout_at=T0 + timeout * SECOND,
    )
    assert (found.synced_at, found.latency_s, found.auto_cancelled) == (T0 + at * SECOND, at - paid, cancelled)
    assert not found.counts_as_delayed


# --- three books -----------------------------------------------------------------------------------------------------


def books(**changes: Any) -> BooksSnapshot:
    fields: dict[str, Any] = {
        "order_no": "SO-0001",
        "status": "AWAITING_SHIPMENT",
        "payment_status": "PAID",
        "paid_minor": 100,
        "refunded_minor": 0,
        "ended": False,
        "children": {"SO-0001-01": ChildStatus.PICKING},
        "payments": {"wechat:pay:1": 100},
        "refunds": {},
        "known": frozenset({"wechat:pay:1"}),
    }
    return BooksSnapshot(**{**fields, **changes})


def told(key: str, kind: Kind, **more: Any) -> Fact:
    return Fact(key=key, kind=kind, source=key.split(":", maxsplit=1)[0], occurred_at=T0, **more)


PAID = told("wechat:pay:1", Kind.PAYMENT_SUCCEEDED, amount_minor=100)


def test_what_both_sides_know_is_no_difference() -> None:
    assert against_source(books(), "payment", "SO-0001", None, [PAID]) == []


def test_money_that_only_one_side_knows_of_is_a_difference() -> None:
    unpaid = books(payments={}, known=frozenset(), payment_status="CREATED")
    (missing,) = against_source(unpaid, "payment", "SO-0001", None, [PAID])
    assert (missing.expected, missing.found) == ("wechat:pay:1", "CREATED")
    (invented,) = against_source(books(), "payment", "SO-0001", None, [])
    assert (invented.expected, invented.found) == ("no payment wechat:pay:1", "100 paid")
    (other,) = against_source(books(payments={"wechat:pay:1": 99}), "payment", "SO-0001", None, [PAID])
    assert (other.expected, other.found) == ("100 paid by wechat:pay:1", "99 paid")


def test_a_refund_we_call_paid_must_be_paid_at_the_channel() -> None:
    ours = books(refunds={"R-1": RefundStatus.SUCCEEDED}, known=frozenset({"wechat:refund:R-1:SUCCESS"}))
    done = told("wechat:refund:R-1:SUCCESS", Kind.REFUND_SUCCEEDED, refund_no="R-1")
    assert against_source(ours, "refund", "R-1", None, [done]) == []
    assert [d.expected for d in against_source(ours, "refund", "R-1", None, [])] == ["not paid back"]


@pytest.mark.parametrize(
    ("status", "differs"),
    [(ChildStatus.PICKING, True), (ChildStatus.SIGNED, False), (ChildStatus.CANCELLED, False)],
)
def test_only_what_could_still_move_a_parcel_is_missing(status: ChildStatus, differs: bool) -> None:
    packed = told("qimen:SO-0001-01:PACKED", Kind.PACKED, child_no="SO-0001-01")
    found = against_source(books(children={"SO-0001-01": status}), "outbound", "SO-0001-01", "SO-0001-01", [packed])
    assert bool(found) is differs


def view(**changes: Any) -> dict[str, Any]:
    shown = {"status": "AWAITING_SHIPMENT", "payment_status": "PAID", "paid_minor": 100, "refunded_minor": 0}
    return {**shown, "children": [{"child_no": "SO-0001-01", "status": "PICKING"}], **changes}


def test_the_workflow_and_the_tables_tell_the_same() -> None:
    assert against_view(books(), view()) == []
    (status,) = against_view(books(), view(status="SHIPPED"))
    assert (status.kind, status.expected, status.found) == ("view", "status SHIPPED", "status AWAITING_SHIPMENT")
    (child,) = against_view(books(), view(children=[]))
    assert (child.number, child.expected, child.found) == ("SO-0001-01", "absent", "PICKING")


def test_an_open_order_has_a_running_workflow_and_an_ended_one_needs_none() -> None:
    assert [d.kind for d in against_view(books(), None)] == ["workflow"]
    assert against_view(books(ended=True), None) == []


def test_the_night_run_is_in_shanghai() -> None:
    before = datetime(2026, 3, 1, 19, 29, tzinfo=UTC)  # 03:29 in Shanghai, on the 2nd
    assert next_run(before, 3, 30) == datetime(2026, 3, 2, 3, 30, tzinfo=SHANGHAI)
    assert next_run(before + timedelta(minutes=1), 3, 30) == datetime(2026, 3, 3, 3, 30, tzinfo=SHANGHAI)
    assert day_before(before) == datetime(2026, 3, 1, 0, 0, tzinfo=SHANGHAI)
