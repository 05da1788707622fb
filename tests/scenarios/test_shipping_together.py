"""Children shipped together: one waybill for both, both numbers to be found, stock and money as before (R35)."""

import pytest

from bench.scenarios.environment import Servers
from bench.waybills import waybill
from domain.approvals import RefusalCode
from domain.facts import Kind
from starter.clients.approvals import DecisionNotTaken
from starter.clients.errors import NotNow
from tests.scenarios.children import CHILD, ORDER, desk, line
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

APART = (line(1, 2, 333, supplier="SELF"), line(2, 1, 500, warehouse="WH-2"))
"""Two children by warehouse."""
HERE = (line(1, 2, 333), line(2, 1, 500, customs="cbec"), line(3, 1, 700, logistics="cold_chain"))


async def test_after_the_approval_one_waybill_covers_both_and_both_numbers_stay_visible(servers: Servers) -> None:
    async with desk(servers, *APART, extra_stock={("SKU-1", "WH-2"): 2}) as d:
        before = await d.paid()
        await d.approve(await d.merge(1, 2, warehouse="WH-2"))
        assert await d.statuses() == {1: "CANCELLED", 2: "CANCELLED", 3: "RELEASED"}
        shown = await d.children()
        for n in (1, 2):
            assert shown[CHILD[n]]["replaced_by"] == [CHILD[3]]
            assert shown[CHILD[n]]["replan"]["remark"] == "the buyer asks for one parcel"
            found = await d.house.orders.view(CHILD[n])
            assert found is not None and found.order.order_no == ORDER
        assert shown[CHILD[3]]["lines"] == {"L1": 2, "L2": 1}
        assert shown[CHILD[3]]["replaces"] == [CHILD[1], CHILD[2]]
        assert (await d.paid(), d.house.systems.refunds) == (before, {})
        assert await d.stock() == {"SKU-1@WH-1": (2, 0, 0), "SKU-1@WH-2": (0, 2, 0), "SKU-2@WH-2": (0, 1, 0)}
        assert [a.key for a in d.house.systems.of("wms.cancel")] == [CHILD[1], CHILD[2]]
        await d.life.ships(3)
        assert d.house.systems.booked == [CHILD[3]]
        shown = await d.children()
        assert [c["waybill_no"] for c in shown.values()] == [waybill(CHILD[3])] * 3
        assert (await d.life.detail()).order.status == "SHIPPED"
        await d.life.happens(Kind.SIGNED, 3)
        await d.life.confirm_receipt()
        assert (await d.life.detail()).order.status == "COMPLETED"


async def test_without_an_approval_nothing_changes(servers: Servers) -> None:
    async with desk(servers, *APART, extra_stock={("SKU-1", "WH-2"): 2}) as d:
        number = await d.merge(1, 2, warehouse="WH-2")
        assert await d.statuses() == {1: "RELEASED", 2: "RELEASED"}
        await d.approve(number, verdict="reject")
        assert await d.statuses() == {1: "RELEASED", 2: "RELEASED"}
        assert d.house.systems.of("wms.cancel") == []


async def test_who_asked_does_not_approve(servers: Servers) -> None:
    async with desk(servers, *APART) as d:
        number = await d.merge(1, 2, warehouse="WH-2")
        with pytest.raises(DecisionNotTaken) as refused:
            await d.approve(number, "u-ops")
        assert refused.value.type == RefusalCode.SELF_APPROVAL
        assert await d.statuses() == {1: "RELEASED", 2: "RELEASED"}


async def test_what_never_travels_together_is_refused_at_once(servers: Servers) -> None:
    async with desk(servers, *HERE) as d:
        for children, remark, code in (
            ((1, 2), "", "REMARK_REQUIRED"),
            ((1, 3), "cheaper", "CUSTOMS_MODE_CONFLICT"),
            ((1, 2), "cheaper", "LOGISTICS_CONFLICT"),
            ((1, 9), "cheaper", "UNKNOWN_CHILD"),
            ((1, 1), "cheaper", "NOTHING_TO_MERGE"),
        ):
            with pytest.raises(NotNow) as refused:
                await d.merge(*children, remark=remark)
            assert refused.value.type == code
        assert await d.house.office.waiting(ORDER) == ()


async def test_once_a_child_is_picked_the_question_is_withdrawn(servers: Servers) -> None:
    async with desk(servers, *APART) as d:
        number = await d.merge(1, 2, warehouse="WH-2")
        await d.life.happens(Kind.PICKING, 1)
        approval = await d.house.office.approvals.get(number)
        assert approval is not None and approval.state == "withdrawn"
        assert any(number in note for note in await d.notes())
        assert await d.merge(1, 2, warehouse="WH-2") == number, "the same words again get the first answer"
        with pytest.raises(NotNow) as refused:
            await d.merge(1, 2, warehouse="WH-2", remark="asked anew")
        assert refused.value.type == "ALREADY_IN_WAREHOUSE"


async def test_if_one_cannot_be_stopped_any_more_the_other_ships_as_it_was_under_a_new_number(servers: Servers) -> None:
    async with desk(servers, *APART, extra_stock={("SKU-1", "WH-2"): 2}) as d:
        before = await d.paid()
        d.house.systems.intercepts[CHILD[2]] = "too_late"
        await d.approve(await d.merge(1, 2, warehouse="WH-2"))
        assert await d.statuses() == {1: "CANCELLED", 2: "RELEASED", 3: "RELEASED"}
        shown = await d.children()
        assert shown[CHILD[3]]["lines"] == {"L1": 2}
        assert shown[CHILD[3]]["warehouse"] == "WH-1"
        assert (await d.paid(), d.house.systems.refunds) == (before, {})
        assert await d.stock() == {"SKU-1@WH-1": (0, 2, 0), "SKU-1@WH-2": (2, 0, 0), "SKU-2@WH-2": (0, 1, 0)}
        assert any("go on as they were" in note for note in await d.notes())


async def test_without_goods_in_the_named_warehouse_everything_ships_as_it_was(servers: Servers) -> None:
    async with desk(servers, *APART) as d:
        before = await d.paid()
        await d.approve(await d.merge(1, 2, warehouse="WH-2"))
        assert await d.statuses() == {1: "CANCELLED", 2: "CANCELLED", 3: "RELEASED", 4: "RELEASED"}
        shown = await d.children()
        assert [(shown[CHILD[n]]["lines"], shown[CHILD[n]]["warehouse"]) for n in (3, 4)] == [
            ({"L1": 2}, "WH-1"), ({"L2": 1}, "WH-2"),
        ]  # fmt: skip
        assert (await d.paid(), d.house.systems.refunds) == (before, {})
        assert await d.stock() == {"SKU-1@WH-1": (0, 2, 0), "SKU-2@WH-2": (0, 1, 0)}


async def test_an_approver_deactivated_meanwhile_stops_it_before_anything_moves(servers: Servers) -> None:
    async with desk(servers, *APART, extra_stock={("SKU-1", "WH-2"): 2}) as d:
        number = await d.merge(1, 2, warehouse="WH-2")
        await d.house.pool.execute(
            "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE people "
            "SET active = false, deactivated_at = now() WHERE person_id = NEW.decided_by; RETURN NEW; END $$; "
            "CREATE TRIGGER gone AFTER UPDATE OF state ON approvals FOR EACH ROW EXECUTE FUNCTION gone()"
        )
        await d.approve(number)
        assert await d.statuses() == {1: "RELEASED", 2: "RELEASED"}
        assert any("PERSON_INACTIVE" in note for note in await d.notes())


async def test_the_whole_order_can_be_cancelled_after_it_was_merged(servers: Servers) -> None:
    async with desk(servers, *APART, extra_stock={("SKU-1", "WH-2"): 2}) as d:
        before = await d.paid()
        await d.approve(await d.merge(1, 2, warehouse="WH-2"))
        done = await d.house.client.cancel(ORDER, CancelOrder(by="buyer", reason="changed my mind"))
        await d.house.rest()
        assert (done.cancelled, done.refund_minor) == ((CHILD[3],), before)
        assert sum(d.house.systems.refunds.values()) == before
        assert (await d.life.detail()).order.status == "CLOSED"
