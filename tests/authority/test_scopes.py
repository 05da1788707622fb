"""Whose orders a person sees is changed by two, in the worker, and counts in the console at once."""

from domain.access.controls import SetScope
from domain.approvals import Role
from store.console.sessions import PersonScope, scope_of
from tests.authority.browsers import console_of
from tests.authority.test_controls import Controls, controls
from tests.returns.orders import cups, paid

__all__ = ["controls"]


async def test_two_say_whose_orders_a_person_sees(controls: Controls) -> None:
    house = controls.house
    life = await paid(house, cups())
    number = life.order.order_no
    async with console_of(house) as desk:
        browser = await desk.sign_in("u-cs")
        assert (await browser.get(f"/orders/{number}")).status_code == 200
        elsewhere = SetScope(person_id="u-cs", channels=("another-shop",), warehouses=("WH-9", "WH-8"))
        asked = await controls.ask(elsewhere)
        told = "u-cs sees channels: another-shop; warehouses: WH-8, WH-9"
        assert any(told in line for line in asked.request.content["looser"])
        assert (await browser.get(f"/orders/{number}")).status_code == 200, "asked for is not made"
        assert (await controls.decide(asked, "u-admin2")).state == "made"
        assert (await browser.get(f"/orders/{number}")).status_code == 404
        assert await controls.audited("people.scope") == 1
        async with house.pool.acquire() as connection:
            now = await scope_of(connection, "u-cs")
        assert now == PersonScope(frozenset({"another-shop"}), frozenset({"WH-8", "WH-9"}))
        asked = await controls.ask(SetScope(person_id="u-cs"), n=2)
        await controls.decide(asked, "u-admin3")
        assert (await browser.get(f"/orders/{number}")).status_code == 200, "named none: all of them"
    assert await controls.roles("u-cs") == {Role.CS_AGENT}
