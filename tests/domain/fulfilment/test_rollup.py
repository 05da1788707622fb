import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fulfilment.rollup import OWN, SHIPPED_OR_LATER, parent_status
from domain.states import ChildStatus as C
from domain.states import OrderStatus as P

children = st.lists(st.sampled_from(C), max_size=6)


@pytest.mark.parametrize(
    ("statuses", "parent"),
    [
        ([], P.AWAITING_SHIPMENT),
        ([C.RELEASED, C.BACKORDER], P.AWAITING_SHIPMENT),
        ([C.SHIPPED, C.PACKED], P.PARTIALLY_SHIPPED),
        ([C.SIGNED, C.BACKORDER], P.PARTIALLY_SHIPPED),
        ([C.SHIPPED, C.INTERCEPTING], P.PARTIALLY_SHIPPED),
        ([C.SHIPPED, C.OUT_FOR_DELIVERY], P.SHIPPED),
        ([C.SIGNED, C.EXCEPTION], P.SHIPPED),
        ([C.SHIPPED, C.CANCELLED], P.SHIPPED),
        ([C.SIGNED, C.SIGNED], P.DELIVERED),
        ([C.SIGNED, C.CANCELLED], P.DELIVERED),
        ([C.SIGNED, C.REFUSED], P.DELIVERED),
        ([C.REFUSED], P.SHIPPED),
        ([C.CANCELLED, C.CANCELLED], P.AWAITING_SHIPMENT),
    ],
)
def test_a_paid_parent_follows_its_children(statuses: list[C], parent: P) -> None:
    assert parent_status(P.AWAITING_SHIPMENT, statuses) is parent


@given(st.sampled_from(sorted(OWN)), children)
def test_payment_receipt_and_closing_are_not_the_childrens_business(own: P, statuses: list[C]) -> None:
    assert parent_status(own, statuses) is own


@given(children, st.permutations(range(6)))
def test_the_order_of_the_children_does_not_matter(statuses: list[C], order: list[int]) -> None:
    shuffled = [statuses[i] for i in order if i < len(statuses)]
    assert parent_status(P.SHIPPED, statuses) is parent_status(P.AWAITING_SHIPMENT, shuffled)


@given(children)
def test_a_parent_is_partly_shipped_exactly_while_some_live_child_is_and_some_is_not(statuses: list[C]) -> None:
    live = [status in SHIPPED_OR_LATER for status in statuses if status is not C.CANCELLED]
    partly = any(live) and not all(live)
    assert (parent_status(P.AWAITING_SHIPMENT, statuses) is P.PARTIALLY_SHIPPED) is partly
