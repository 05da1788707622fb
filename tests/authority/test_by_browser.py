"""What a signed-in person does with an order in the console is proven in the worker, in their own name."""

import pytest

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.ordered import stocked
from domain.states import OrderStatus
from tests.authority.browsers import actions, console_of
from tests.returns.orders import cups, paid

NEW = {
    "recipient": "张伟", "phone": "13900139000", "province": "上海市", "city": "上海市", "street": "南京路 2 号",
    "remark": "the buyer has moved",
}  # fmt: skip


async def test_an_order_is_cancelled_in_the_persons_own_name(house: ScenarioEnvironment) -> None:
    life = await stocked(house, cups())
    number = life.order.order_no
    async with console_of(house) as desk:
        browser = await desk.sign_in("u-cs")
        page = (await browser.get(f"/orders/{number}")).text
        assert f'hx-get="/orders/{number}/cancel"' in page and "disabled" in page, "receipt is not for now"
        answer = await browser.post(f"/orders/{number}/cancel", reason="the buyer rang")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{number}?said=cancelled")
        await house.rest()
        assert (await house.client.view(number)).status is OrderStatus.CLOSED
        assert await actions(house, "order.cancel") == ["u-cs"]
        assert sorted(await actions(house, "command.admitted")) == ["svc-shop", "u-cs"], "who started it, who cancelled"
        late = await browser.post(f"/orders/{number}/cancel", reason="once more, for another reason")
        assert late.status_code == 409 and "取消" in (await browser.get(f"/orders/{number}?said=cancelled")).text


async def test_of_a_paid_order_somebody_is_asked_first_and_the_page_says_so(house: ScenarioEnvironment) -> None:
    life = await paid(house, cups())
    number = life.order.order_no
    async with console_of(house) as desk:
        browser = await desk.sign_in("u-cs")
        answer = await browser.post(f"/orders/{number}/cancel", reason="the buyer rang")
        assert answer.headers["location"] == f"/orders/{number}?said=asked", answer.text
        assert "需要他人批准" in (await browser.get(answer.headers["location"])).text
        assert (await house.client.view(number)).status is OrderStatus.AWAITING_SHIPMENT
        assert len(await house.office.approvals.list(order_no=number)) == 1


async def test_an_address_is_changed_and_shown_and_a_wrong_one_is_named(house: ScenarioEnvironment) -> None:
    life = await paid(house, cups())
    number = life.order.order_no
    async with console_of(house) as desk:
        browser = await desk.sign_in("u-sup")
        wrong = await browser.post(f"/orders/{number}/address", **{**NEW, "phone": "<script>"})
        assert wrong.status_code == 422 and "电话" in wrong.text and "<script>" not in wrong.text.split("<main")[1]
        answer = await browser.post(f"/orders/{number}/address", **NEW)
        assert answer.headers["location"].endswith("said=readdressed"), answer.text
        await house.rest()
        assert "南京路 2 号" in (await browser.get(f"/orders/{number}")).text
        assert await actions(house, "order.change_address") == ["u-sup"]


async def test_an_order_is_held_and_released_by_who_looks_after_what_it_is_about(house: ScenarioEnvironment) -> None:
    life = await paid(house, cups())
    number = life.order.order_no
    async with console_of(house) as desk:
        warehouse = await desk.sign_in("u-wh")
        held = await warehouse.post(f"/orders/{number}/hold", kind="address", reason="no such street")
        assert held.headers["location"].endswith("said=held"), held.text
        await house.rest()
        page = (await warehouse.get(f"/orders/{number}")).text
        assert "暂停发货：地址" in page and "no such street" in page and "/release" not in page
        assert f'href="/orders/{number}"' in (await warehouse.get("/orders?only=held")).text
        assert 'href="/orders?only=held"' in (await warehouse.get("/")).text
        hold_id = f"H-{number}-1"
        answer = await warehouse.post(f"/orders/{number}/release", hold_id=hold_id, remark="I say so")
        assert answer.status_code == 403 and await actions(house, "order.release") == []
        service = await desk.sign_in("u-cs")
        assert "/release" in (await service.get(f"/orders/{number}")).text
        answer = await service.post(f"/orders/{number}/release", hold_id=hold_id, remark="the buyer has confirmed")
        assert answer.headers["location"].endswith("said=released"), answer.text
        await house.rest()
        assert "人工解除" in (await service.get(f"/orders/{number}")).text
        assert await actions(house, "order.release") == ["u-cs"]


@pytest.mark.parametrize("person", ["u-wh", "u-fin"])
async def test_who_may_not_cancel_does_not_get_to_the_worker(house: ScenarioEnvironment, person: str) -> None:
    life = await paid(house, cups())
    async with console_of(house) as desk:
        browser = await desk.sign_in(person)
        answer = await browser.post(f"/orders/{life.order.order_no}/cancel", reason="I would like to")
        assert answer.status_code == 403
        assert await actions(house, "console.refused") == [person] and await actions(house, "command.refused") == []


async def test_refreshing_says_what_was_found_to_differ_and_not_too_often(house: ScenarioEnvironment) -> None:
    life = await paid(house, cups())
    async with console_of(house) as desk:
        browser = await desk.sign_in("u-wh")
        form = {"csrf": browser.csrf}
        headers = {"origin": "http://127.0.0.1:8090", "hx-request": "true"}
        answer = await browser.http.post(f"/orders/{life.order.order_no}/refresh", data=form, headers=headers)
        assert answer.status_code == 200 and "已向各外部系统查询" in answer.text and "<html" not in answer.text
        again = await browser.http.post(f"/orders/{life.order.order_no}/refresh", data=form, headers=headers)
        assert again.status_code == 409 and "<html" not in again.text
