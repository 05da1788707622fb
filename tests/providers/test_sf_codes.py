"""SF's scan codes in our words, and the facts that scans prove."""

from datetime import UTC, datetime
from itertools import chain

import pytest

from domain.facts import Kind
from providers.sf.codes import status_of
from providers.sf.routes import Route, trace_of
from providers.tracking import ParcelStatus, Trace

NOW = datetime(2026, 3, 5, tzinfo=UTC)
NU = "SF0000000000001"

# docs/providers.md, Parcel states
TABLE = {
    "picked_up": ["50", "51", "43", "46", "607"],
    "in_transit": ["30", "31"],
    "out_for_delivery": ["44", "34", "47", "630", "634"],
    "delivered": ["80"],
    "exception": ["33", "70"],
    "refused": ["99", "648"],
    "unknown": ["", "8000", "1", "999", "x"],
}
ALL = list(chain.from_iterable(((code, status) for code in codes) for status, codes in TABLE.items()))


def route(time: str, code: str, first: str | None = None, remark: str = "…") -> Route:
    return Route(acceptTime=f"2026-03-{time}", opCode=code, firstStatusCode=first, remark=remark, acceptAddress="杭州")


def trace(*routes: Route) -> Trace:
    return trace_of(NU, routes, NOW)


@pytest.mark.parametrize(("code", "status"), ALL)
def test_each_op_code_has_the_status_of_the_table(code: str, status: str) -> None:
    assert status_of(code) == ParcelStatus(status)


@pytest.mark.parametrize(
    ("op_code", "first", "status"),
    [
        ("8000", "4", ParcelStatus.DELIVERED),
        ("8000", "2", ParcelStatus.IN_TRANSIT),
        ("44", "2", ParcelStatus.IN_TRANSIT),
        ("999", "1", ParcelStatus.PICKED_UP),
        ("999", "5", ParcelStatus.CANCELLED),
        ("999", "6", ParcelStatus.RETURNED),
        ("80", "9", ParcelStatus.DELIVERED),
        ("33", "3", ParcelStatus.EXCEPTION),
        ("648", "2", ParcelStatus.REFUSED),
        ("33", "4", ParcelStatus.DELIVERED),
        ("99", "6", ParcelStatus.RETURNED),
    ],
)
def test_the_first_status_decides_except_for_trouble_on_the_way(op_code: str, first: str, status: ParcelStatus) -> None:
    assert status_of(op_code, first) is status


def test_milestones_have_their_own_times_in_whatever_order_they_come() -> None:
    got = trace(route("04 18:00:00", "80"), route("02 18:20:00", "50"), route("03 20:00:00", "31"))
    assert [(f.kind, f.occurred_at.astimezone(UTC).isoformat()) for f in got.facts] == [
        (Kind.COLLECTED, "2026-03-02T10:20:00+00:00"),
        (Kind.IN_TRANSIT, "2026-03-03T12:00:00+00:00"),
        (Kind.SIGNED, "2026-03-04T10:00:00+00:00"),
    ]
    assert {(f.waybill_no, f.carrier, f.source) for f in got.facts} == {(NU, "SF", "sf")}
    assert [p.status for p in got.points] == ["delivered", "in_transit", "picked_up"]
    assert (got.status, got.finished) == (ParcelStatus.DELIVERED, True)


def test_exceptions_are_told_apart_by_their_time() -> None:
    got = trace(route("03 09:00:00", "33"), route("04 09:00:00", "70"))
    assert [f.key for f in got.facts] == [
        f"sf:{NU}:COURIER_EXCEPTION:20260303T010000Z",
        f"sf:{NU}:COURIER_EXCEPTION:20260304T010000Z",
    ]


def test_an_op_code_that_nobody_knows_is_kept_as_trace_and_moves_nothing() -> None:
    got = trace(route("02 18:20:00", "50"), route("03 09:00:00", "8000"))
    assert ([f.kind for f in got.facts], len(got.points)) == ([Kind.COLLECTED], 2)
    assert got.status is ParcelStatus.PICKED_UP


def test_a_scan_has_one_key_whether_pushed_or_queried() -> None:
    pushed, queried = trace(route("02 18:20:00", "50")), trace(route("02 18:20:00", "50", first="1"))
    assert pushed.points[0].key == queried.points[0].key


@pytest.mark.parametrize("bad", ["", "04 09:00", "04T09:00:00", "04 25:00:00"])
def test_a_scan_without_a_readable_time_does_not_hide_the_others(bad: str) -> None:
    assert [f.kind for f in trace(route(bad, "44"), route("04 18:00:00", "80")).facts] == [Kind.SIGNED]


def test_no_scans_prove_nothing() -> None:
    got = trace()
    assert (got.facts, got.points, got.status, got.finished) == ((), (), ParcelStatus.UNKNOWN, False)
