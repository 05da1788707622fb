"""What a parcel remembers of facts and labels, whatever their order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.messages import Booked
from domain.facts import Fact, Kind
from domain.records import ChildPlan
from domain.states import ChildStatus
from domain.units import UnitRange
from tests.workflows.orders import fact, one_parcel_order
from workflows.order.parcels.parcel_state import ParcelState
from workflows.shipping.shipment import Shipment

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LABEL = Booked(waybill_no="YT1", carrier="YTO", tms_ref="B1", label_format="PDF", label_b64="JVBERg==")


def said(kind: Kind, at: datetime = NOON, **more: Any) -> Fact:
    return fact(kind, "SO-1-01", at, **more)


def child(**changes: Any) -> ParcelState:
    plan = ChildPlan(
        child_no="SO-1-01", reasons=(), lines={"L1": 3}, warehouse="WH-1", net_minor=300, freight_minor=0,
        paid_minor=300, status=ChildStatus.RELEASED,
    )  # fmt: skip
    return ParcelState(plan.model_copy(update=changes), one_parcel_order().address)


@pytest.mark.parametrize("later_first", [False, True])
def test_the_earliest_word_about_leaving_and_signing_counts(later_first: bool) -> None:
    shipment = Shipment("SO-1-01", ChildStatus.RELEASED)
    facts = [said(Kind.COLLECTED), said(Kind.WAYBILL_RETURNED, NOON + HOUR), said(Kind.SIGNED, NOON + HOUR)]
    for one in reversed(facts) if later_first else facts:
        shipment.apply(one)
    assert (shipment.shipped_at, shipment.signed_at) == (NOON, NOON + HOUR)


def test_the_warehouse_may_name_another_number_than_the_booked_one_and_a_scan_may_not() -> None:
    shipment = Shipment("SO-1-01", ChildStatus.RELEASED)
    shipment.labelled(LABEL)
    shipment.apply(said(Kind.COLLECTED, waybill_no="SF9", carrier="SF"))
    assert (shipment.waybill_no, shipment.carrier) == ("YT1", "YTO")
    shipment.apply(said(Kind.WAYBILL_RETURNED, waybill_no="SF1", carrier="SF"))
    assert (shipment.waybill_no, shipment.carrier) == ("SF1", "SF")


def test_a_rejection_takes_the_acceptance_back_and_is_an_answer_too() -> None:
    parcel = child()
    parcel.apply(said(Kind.WMS_ACCEPTED))
    assert (parcel.accepted, parcel.rejected, parcel.answered) == (True, "", True)
    parcel.apply(said(Kind.WMS_REJECTED, note="no such cup"))
    assert (parcel.accepted, parcel.rejected, parcel.answered) == (False, "no such cup", True)


def test_the_labels_bytes_travel_in_the_first_write_only() -> None:
    parcel = child()
    parcel.labelled(LABEL)
    shown, first, second = parcel.row(), parcel.row(to_write=True), parcel.row(to_write=True)
    assert [row.label_b64 for row in (shown, first, second)] == [None, LABEL.label_b64, None]
    assert {(row.tms_ref, row.waybill_no) for row in (shown, first, second)} == {("B1", "YT1")}


def test_units_that_others_ship_are_no_longer_its_own() -> None:
    parcel = child(runs=(UnitRange(line_id="L1", first_unit=0, units=3),))
    other = child(child_no="SO-1-02", lines={"L1": 1}, net_minor=100, paid_minor=100).plan
    parcel.release_units((UnitRange(line_id="L1", first_unit=2, units=1),), (other,))
    assert (parcel.plan.lines, parcel.plan.paid_minor, parcel.replaced_by) == ({"L1": 2}, 200, ("SO-1-02",))
    assert parcel.runs == (UnitRange(line_id="L1", first_unit=0, units=2),)
    parcel.release_all(("SO-1-03",))
    assert not (parcel.plan.lines or parcel.plan.paid_minor or parcel.runs)
