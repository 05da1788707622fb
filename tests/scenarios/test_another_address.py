"""Another address reaches every child that nobody has picked yet; what is picked goes where it was going (R29)."""

import asyncio

import pytest

from bench.scenarios.environment import Servers
from domain.facts import Kind
from starter.clients.errors import NotNow
from tests.scenarios.children import ADDRESS, CHILD, ORDER, Desk, desk, line
from workflows.messages import ResolveTicket
from workflows.order.changes.messages import AddressChanged, ChangeAddress

APART = (line(1, 2, 333), line(2, 1, 500, warehouse="WH-2"))
NEW = ADDRESS.model_copy(update={"street": "延安路 9 号", "phone": "13900000000"})


async def move(d: Desk) -> AddressChanged:
    message = ChangeAddress(address=NEW, by="u-cs", remark="the buyer has moved")
    done = await d.house.client.change_address(ORDER, message)
    await d.house.rest()
    return done


async def test_what_is_not_picked_goes_to_the_new_address_and_the_rest_where_it_was_going(servers: Servers) -> None:
    async with desk(servers, *APART) as d:
        before = await d.paid()
        await d.life.happens(Kind.PICKING, 1)
        assert await move(d) == AddressChanged(changed=(CHILD[3],), kept=(CHILD[1],))
        assert await d.statuses() == {1: "PICKING", 2: "CANCELLED", 3: "RELEASED"}
        streets = d.house.systems.streets
        assert (streets[CHILD[1]], streets[CHILD[3]]) == (ADDRESS.street, NEW.street)
        detail = await d.life.detail()
        assert detail.address["street"] == NEW.street
        assert (await d.children())[CHILD[1]]["address"]["street"] == ADDRESS.street
        assert (await d.paid(), d.house.systems.refunds) == (before, {})
        assert await d.stock() == {"SKU-1@WH-1": (0, 2, 0), "SKU-2@WH-2": (0, 1, 0)}
        audit = [e for e in await d.house.orders.timeline(ORDER) if e.title == "order.change_address"]
        assert len(audit) == 1 and NEW.street not in audit[0].note and NEW.phone not in audit[0].note


async def test_a_child_that_cannot_be_stopped_any_more_keeps_its_address(servers: Servers) -> None:
    async with desk(servers, *APART) as d:
        d.house.systems.intercepts[CHILD[2]] = "too_late"
        assert await move(d) == AddressChanged(changed=(CHILD[3],), kept=(CHILD[2],))
        assert await d.statuses() == {1: "CANCELLED", 2: "RELEASED", 3: "RELEASED"}


async def test_the_same_address_given_again_makes_nothing_anew(servers: Servers) -> None:
    async with desk(servers, *APART) as d:
        first = await move(d)
        statuses = await d.statuses()
        assert (await move(d), await d.statuses()) == (first, statuses)
        back = ChangeAddress(address=ADDRESS, by="u-cs", remark="not after all")
        await d.house.client.change_address(ORDER, back)
        assert (await move(d)).changed != first.changed, "another has been given since: it is set again"


async def test_once_everything_is_picked_it_is_too_late(servers: Servers) -> None:
    async with desk(servers, *APART) as d:
        await d.life.happens(Kind.PICKING, 1)
        await d.life.happens(Kind.PICKING, 2)
        with pytest.raises(NotNow, match="too late"):
            await move(d)
        assert (await d.life.detail()).address["street"] == ADDRESS.street


async def test_children_that_go_to_different_addresses_are_not_shipped_together(servers: Servers) -> None:
    async with desk(servers, *APART, extra_stock={("SKU-1", "WH-2"): 2}) as d:
        d.house.systems.intercepts[CHILD[2]] = "too_late"
        await move(d)
        with pytest.raises(NotNow) as refused:
            await d.merge(2, 3, warehouse="WH-2")
        assert refused.value.type == "ADDRESS_CONFLICT"


async def test_an_order_that_is_not_paid_yet_is_split_for_the_new_address(servers: Servers) -> None:
    async with desk(servers, *APART, paid=False) as d:
        assert await move(d) == AddressChanged(changed=(), kept=())
        await d.life.pay()
        assert set(d.house.systems.streets.values()) == {NEW.street}


REFUSE = """
CREATE FUNCTION no_more_children() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no more children' USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER no_more_children BEFORE INSERT ON child_orders FOR EACH ROW EXECUTE FUNCTION no_more_children()"""
OPEN = "SELECT ticket_id, error FROM tickets WHERE order_no = $1 AND state = 'open' AND step = 'refused by our books'"


async def test_children_that_stand_still_for_it_and_that_the_books_refuse_are_asked_about_and_go_on(
    servers: Servers,
) -> None:
    async with desk(servers, *APART) as d:
        await d.house.pool.execute(REFUSE)
        moving = asyncio.create_task(move(d))
        async with asyncio.timeout(30):
            while not (asked := await d.house.pool.fetchrow(OPEN, ORDER)):
                await asyncio.sleep(0.05)
        assert CHILD[1] in asked["error"] and "no more children" in asked["error"]
        await d.house.pool.execute("DROP TRIGGER no_more_children ON child_orders")
        answer = ResolveTicket(ticket_id=asked["ticket_id"], action="retry", by="ops", remark="mended")
        await d.house.client.resolve_ticket(ORDER, answer)
        assert (await moving).changed == (CHILD[3], CHILD[4])
        assert await d.statuses() == {1: "CANCELLED", 2: "CANCELLED", 3: "RELEASED", 4: "RELEASED"}
