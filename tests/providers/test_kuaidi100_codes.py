"""Kuaidi100's states in our words, and the facts that a snapshot proves."""

from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from domain.facts import Kind
from providers.kuaidi100.codes import STATUS_OF_NAME, carrier_of, company_of, status_of
from providers.kuaidi100.snapshot import Snapshot, trace_of
from providers.tracking import KIND_OF, ParcelStatus, Trace

NOW = datetime(2026, 3, 5, tzinfo=UTC)
NU = "YT0000000001"

# docs/providers.md, Parcel states
TABLE = {
    "pre_transit": ["101", "102"],
    "picked_up": ["1", "103"],
    "in_transit": ["0", "1001", "1002", "1003", "7"],
    "customs": ["8", "10", "11", "12"],
    "out_for_delivery": ["5"],
    "ready_for_pickup": ["501"],
    "delivered": ["3", "301", "302", "303", "304"],
    "exception": ["2", "13", "201", "202", "204", "205", "206", "207", "208", "209"],
    "refused": ["14", "6", "203"],
    "returned": ["4"],
    "cancelled": ["210", "401"],
    "unknown": ["", "9", "99", "1004", "x"],
}
ALL = list(chain.from_iterable(((code, status) for code in codes) for status, codes in TABLE.items()))


def row(time: str, code: str | None = None, name: str | None = None, context: str = "…") -> dict[str, Any]:
    return {
        "time": f"2026-03-{time}",
        "ftime": f"2026-03-{time}",
        "context": context,
        "status": name,
        "statusCode": code,
    }


def trace(rows: list[dict[str, Any]], state: str = "0", **more: Any) -> Trace:
    """`rows` newest first, as Kuaidi100 sends them."""
    return trace_of(Snapshot.model_validate({"nu": NU, "com": "yuantong", "state": state, "data": rows} | more), NOW)


@pytest.mark.parametrize(("code", "status"), ALL)
def test_each_code_has_the_status_of_the_table(code: str, status: str) -> None:
    assert status_of(code) == ParcelStatus(status)


@pytest.mark.parametrize("name", list(STATUS_OF_NAME))
def test_the_code_decides_before_the_name(name: str) -> None:
    assert status_of("", name) is STATUS_OF_NAME[name]
    assert status_of("3", name) is ParcelStatus.DELIVERED


def test_every_status_either_moves_an_order_or_is_known_not_to() -> None:
    silent = {ParcelStatus.PRE_TRANSIT, ParcelStatus.UNKNOWN}
    assert set(KIND_OF) | silent == set(ParcelStatus)


@pytest.mark.parametrize("carrier", ["SF", "YTO", "ZTO", "STO", "YUNDA", "JTSD", "EMS", "JD", "DBKD", "POSTB"])
def test_company_codes_go_there_and_back(carrier: str) -> None:
    assert carrier_of(company_of(carrier)) == carrier


def test_an_unlisted_company_goes_as_it_is() -> None:
    assert (company_of("ANE66"), carrier_of("annengwuliu")) == ("ane66", "annengwuliu")


def test_one_late_push_still_carries_every_milestone_at_its_own_time() -> None:
    got = trace(
        [
            row("04 18:00:00", "301"),
            row("04 09:00:00", "5"),
            row("03 20:00:00", "1002"),
            row("03 08:00:00", "1002"),
            row("02 18:20:00", "103"),
        ],
        state="3",
        ischeck="1",
    )
    assert [(f.kind, f.occurred_at.astimezone(UTC).isoformat()) for f in got.facts] == [
        (Kind.COLLECTED, "2026-03-02T10:20:00+00:00"),
        (Kind.IN_TRANSIT, "2026-03-03T00:00:00+00:00"),
        (Kind.OUT_FOR_DELIVERY, "2026-03-04T01:00:00+00:00"),
        (Kind.SIGNED, "2026-03-04T10:00:00+00:00"),
    ]
    assert {f.key for f in got.facts} == {f"kuaidi100:{NU}:{f.kind.value}" for f in got.facts}
    assert {(f.waybill_no, f.carrier, f.source) for f in got.facts} == {(NU, "YTO", "kuaidi100")}
    assert len(got.points) == 5
    assert (got.status, got.finished) == (ParcelStatus.DELIVERED, True)


def test_a_longer_snapshot_repeats_the_keys_of_the_shorter_one() -> None:
    early = trace([row("02 18:20:00", "103")], state="1")
    later = trace([row("03 08:00:00", "1002"), row("02 18:20:00", "103")])
    assert {f.key for f in early.facts} < {f.key for f in later.facts}
    assert {p.key for p in early.points} < {p.key for p in later.points}


def test_exceptions_are_told_apart_by_their_time() -> None:
    got = trace([row("04 09:00:00", "204"), row("03 09:00:00", "206"), row("03 09:00:00", "206")], state="2")
    assert [f.key for f in got.facts] == [
        f"kuaidi100:{NU}:COURIER_EXCEPTION:20260303T010000Z",
        f"kuaidi100:{NU}:COURIER_EXCEPTION:20260304T010000Z",
    ]


def test_refused_and_returned_are_different_facts() -> None:
    got = trace([row("06 09:00:00", "4"), row("04 10:00:00", "6"), row("04 09:00:00", "203")], state="4")
    assert [f.kind for f in got.facts] == [Kind.DELIVERY_REFUSED, Kind.RETURNED_TO_SENDER]


def test_without_codes_in_the_rows_the_overall_state_is_that_of_the_newest_scan() -> None:
    got = trace([row("04 18:00:00"), row("02 18:20:00")], state="3")
    assert [(f.kind, f.occurred_at.astimezone(UTC).isoformat()) for f in got.facts] == [
        (Kind.SIGNED, "2026-03-04T10:00:00+00:00")
    ]


def test_of_two_scans_in_one_second_the_earlier_row_comes_first() -> None:
    got = trace([row("04 09:00:00", "301"), row("04 09:00:00", "5")], state="3")
    assert [f.kind for f in got.facts] == [Kind.OUT_FOR_DELIVERY, Kind.SIGNED]


def test_an_empty_snapshot_proves_nothing() -> None:
    got = trace([], state="0")
    assert (got.facts, got.points) == ((), ())


@pytest.mark.parametrize("bad", ["", "04 09:00", "04T09:00:00", "04 25:00:00"])
def test_a_scan_without_a_readable_time_does_not_hide_the_others(bad: str) -> None:
    got = trace([row(bad, "5"), row("04 18:00:00", "301")], state="3")
    assert [f.kind for f in got.facts] == [Kind.SIGNED]


def test_a_year_far_away_is_not_a_time() -> None:
    assert trace([{"time": "0001-01-01 00:00:00", "statusCode": "3"}]).facts == ()


def test_numbers_and_nulls_are_read_where_text_was_promised() -> None:
    got = trace([{"time": "2026-03-04 18:00:00", "statusCode": 301, "context": None}], state=3, com=None)  # type: ignore[arg-type]
    assert [f.kind for f in got.facts] == [Kind.SIGNED]
    assert got.facts[0].carrier is None
