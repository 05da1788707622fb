"""An answer to a ticket that a person gives in the console is proven in the worker, in their own name."""

from datetime import timedelta

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.providers import no_answer
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from tests.authority.browsers import actions, console_of
from tests.returns.orders import cups, paid


async def not_pushed(house: ScenarioEnvironment, parcels: int) -> list[str]:
    """Paid orders whose warehouse does not answer; the numbers of their tickets."""
    for n in range(parcels):
        house.systems.script("wms.push", *[no_answer("wms.push")] * 4)
        line = LineIn(id="L1", sku=f"CUP{n}", qty=2, unit_price=3_000)
        await paid(house, OrderIn(order_no=f"SO2611210{n}", lines=(line,)))
        await house.pass_until(house.now() + timedelta(minutes=5))
    return [t.ticket_id for t in await house.tickets.list() if t.step == "push outbound"]


async def test_the_warehouse_is_back_and_all_are_tried_again(house: ScenarioEnvironment) -> None:
    numbers = await not_pushed(house, 2)
    assert len(numbers) == 2
    async with console_of(house) as desk:
        browser = await desk.sign_in("u-wh")
        form = {"csrf": browser.csrf, "system": "qimen", "step": "push outbound", "action": "retry", "key": "k1"}
        sent = {**form, "remark": "the warehouse is back", "ticket": numbers}
        answer = await browser.http.post("/tickets/together/answer", data=sent, headers={"accept-language": "en"})
        assert "已答复 2 个，未成功 0 个" in answer.text, answer.text
        await house.rest()
        assert [t.ticket_id for t in await house.tickets.list() if t.step == "push outbound"] == []
        assert await actions(house, "ticket.resolve") == ["u-wh", "u-wh"]


async def test_what_was_done_by_hand_is_supplied_by_a_form(house: ScenarioEnvironment) -> None:
    (number,) = await not_pushed(house, 1)
    async with console_of(house) as desk:
        browser = await desk.sign_in("u-wh")
        assert 'name="wms_ref"' in (await browser.get(f"/tickets/{number}")).text
        form = {"action": "supply", "remark": "entered there by hand", "key": "k"}
        answer = await browser.post(f"/tickets/{number}/answer", **form, wms_ref="W-77")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/tickets/{number}?done=supply"), answer.text
        await house.rest()
        ticket = await house.tickets.get(number)
        assert ticket and (ticket.action, ticket.resolved_by, ticket.result) == ("supply", "u-wh", {"wms_ref": "W-77"})


async def test_money_that_has_come_is_said_by_a_form_and_another_of_finance_is_asked(
    house: ScenarioEnvironment,
) -> None:
    life = await stocked(house, cups())
    house.systems.script("payment.query", *[no_answer("payment.query")] * 4)
    await house.pass_until(house.now() + timedelta(minutes=40))
    (ticket,) = [t for t in await house.tickets.list() if t.severity != "info"]
    async with console_of(house) as desk:
        browser = await desk.sign_in("u-fin")
        form = {
            "action": "supply", "key": "k", "remark": "seen in the back office", "state": "PAID",
            "transaction_id": "4200001", "merchant_id": "1900000001", "amount": "60.00", "currency": "CNY",
            "occurred_at": house.now().strftime("%Y-%m-%dT%H:%M"),
        }  # fmt: skip
        answer = await browser.post(f"/tickets/{ticket.ticket_id}/answer", **form)
        assert answer.status_code == 303 and "done=asked" in answer.headers["location"], answer.text
        (approval,) = await house.office.waiting(ticket.ticket_id)
        says = approval.request.content["says"]
        assert (says["state"], says["fact"]["amount_minor"], approval.request.requested_by) == ("PAID", 6_000, "u-fin")
        assert (await life.view()).paid_minor == 0
        page = await browser.get(answer.headers["location"])
        assert approval.request.approval_id in page.text
