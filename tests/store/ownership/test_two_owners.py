"""A unit with two owners is a violation, whatever else is asked about it; an order that moves is left alone."""

from datetime import timedelta

from domain.ownership import OwnerFault
from store.orders.orders import OrderStore
from store.ownership.check import OwnershipStore
from store.pool import Pool
from tests.store.examples import a_write
from tests.store.ownership.books import (
    CANCELLED,
    FIRST,
    ORDER,
    SHIPPED,
    found,
    names,
    paid,
    refund,
    ticket,
    write,
)

__all__ = ["paid"]

# --- two owners -----------------------------------------------------------------------------------------------------


async def test_a_unit_that_is_refunded_and_still_waits_has_two_owners(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, a_write(seq=2, refunds=(refund("R-1", 2_040, FIRST, 1),)))
    (twice,) = await found(pool)
    assert (twice.found, twice.unit, twice.holder) == (OwnerFault.REFUNDED_AND_WAITING, "2", "R-1")


async def test_a_unit_that_the_order_refunded_and_that_left_has_two_owners(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, SHIPPED, a_write(seq=3, refunds=(refund("R-1", 6_120, FIRST, 3),)))
    assert await names(pool) == [(OwnerFault.REFUNDED_AND_LEFT, "L1", "0-2")]


async def test_a_ticket_about_the_parcel_does_not_make_two_owners_one(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(
        orders, a_write(seq=2, refunds=(refund("R-1", 2_040, FIRST, 1),), tickets=(ticket("push outbound", FIRST),))
    )
    assert await names(pool) == [(OwnerFault.REFUNDED_AND_WAITING, "L1", "2")]


# --- which orders ---------------------------------------------------------------------------------------------------


async def test_an_order_that_wrote_a_moment_ago_is_left_alone(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, CANCELLED)
    store = OwnershipStore(pool)
    assert await store.violations([ORDER], CANCELLED.at + timedelta(seconds=119)) == ()
    assert await store.violations([ORDER], CANCELLED.at + timedelta(seconds=120)) != ()
