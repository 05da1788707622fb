"""Facts told again to the tables lead to the stored status, or somebody knows why not, or it is a defect."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.facts import Kind
from domain.insight.second_opinion import Misfit, ToldKind, ToldOrder, ToldParcel, defects, fits, misfits
from domain.states import ChildStatus, OrderStatus

T = datetime(2026, 4, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
WAY = (Kind.WMS_ACCEPTED, Kind.PACKED, Kind.WAYBILL_RETURNED, Kind.COLLECTED, Kind.SIGNED)


def told(*kinds: Kind) -> list[ToldKind]:
    """One after the other, an hour apart."""
    return [ToldKind(kind, T + n * HOUR, T + n * HOUR) for n, kind in enumerate(kinds)]


def an_order(status: OrderStatus, child: ChildStatus, facts: list[ToldKind], **known: bool) -> ToldOrder:
    return ToldOrder("SO1", status, [ToldParcel("SO1-01", child, facts)], **known)


@pytest.mark.parametrize(
    ("status", "child", "kinds"),
    [
        (OrderStatus.DELIVERED, ChildStatus.SIGNED, WAY),
        (OrderStatus.COMPLETED, ChildStatus.SIGNED, WAY),
        (OrderStatus.SHIPPED, ChildStatus.SHIPPED, WAY[:3]),
        (OrderStatus.AWAITING_SHIPMENT, ChildStatus.RELEASED, WAY[:1]),
        (OrderStatus.AWAITING_SHIPMENT, ChildStatus.BACKORDER, WAY[:1]),
        (OrderStatus.AWAITING_SHIPMENT, ChildStatus.INTERCEPTING, WAY[:2]),
        (OrderStatus.CLOSED, ChildStatus.CANCELLED, WAY[:2]),
        (OrderStatus.SHIPPED, ChildStatus.REFUSED, (*WAY[:4], Kind.DELIVERY_REFUSED)),
        (OrderStatus.SHIPPED, ChildStatus.EXCEPTION, (*WAY[:4], Kind.COURIER_EXCEPTION)),
    ],
)
def test_a_life_as_it_should_be_fits(status: OrderStatus, child: ChildStatus, kinds: tuple[Kind, ...]) -> None:
    order = an_order(status, child, told(*kinds))
    assert (misfits(order), fits(order)) == ((), True)


@pytest.mark.parametrize(
    ("status", "child", "kinds", "what"),
    [
        (OrderStatus.DELIVERED, ChildStatus.SIGNED, WAY[:4], Misfit.OTHER_STATUS),
        (OrderStatus.SHIPPED, ChildStatus.SHIPPED, WAY, Misfit.OTHER_STATUS),
        (OrderStatus.CLOSED, ChildStatus.CANCELLED, WAY[:4], Misfit.SHIPPED_AND_CANCELLED),
        (OrderStatus.AWAITING_SHIPMENT, ChildStatus.SIGNED, WAY, Misfit.OTHER_PARENT),
        (OrderStatus.DELIVERED, ChildStatus.SIGNED, (Kind.SIGNED, Kind.COLLECTED), Misfit.SIGNED_BEFORE_LEFT),
    ],
)
def test_what_was_edited_lost_or_cannot_be_is_a_defect_until_somebody_knows(
    status: OrderStatus, child: ChildStatus, kinds: tuple[Kind, ...], what: Misfit
) -> None:
    order = an_order(status, child, told(*kinds))
    assert what in misfits(order) and fits(order) is False and what in defects([order])["SO1"]
    known = an_order(status, child, told(*kinds), explained=True)
    assert fits(known) is True and defects([known]) == {}


def test_what_a_source_said_and_nobody_wrote_down_does_not_fit() -> None:
    assert misfits(an_order(OrderStatus.SHIPPED, ChildStatus.SHIPPED, told(*WAY[:3]), unheard=True)) == (
        Misfit.UNHEARD,
    )


def test_clocks_may_differ_by_a_quarter_of_an_hour() -> None:
    left, signed = T, T - timedelta(minutes=15)
    facts = [ToldKind(Kind.COLLECTED, left, left), ToldKind(Kind.SIGNED, signed, signed)]
    assert misfits(an_order(OrderStatus.DELIVERED, ChildStatus.SIGNED, facts)) == ()


def test_an_order_of_which_nothing_was_told_is_not_judged() -> None:
    assert fits(an_order(OrderStatus.DELIVERED, ChildStatus.SIGNED, [])) is None
