"""Automations in the browser: tried, asked for, decided by another person, seen working, stopped by one."""

import re

import pytest

from console.pages.automation.editing import automation_of
from console.text.refusals import RefusedAct
from domain.automation.acts import RefundAct
from store.automation.running import AutomationRunner
from store.orders.orders import OrderStore
from tests.console.office import ActingDesk, Browser, Desk
from tests.console.test_tickets import english
from tests.store.examples import an_order

FORM = {
    "id": "big-ones", "name": "Above 80 yuan", "enabled": "1", "on": "order_placed",
    "condition": "channel == 'shop' and amount_minor > 8000", "act": "hold", "kind": "other",
    "reason": "somebody looks first", "ends_after_s": "", "after": "", "before": "", "at": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"condition": "stock > 1"}, "no column"),
        ({"condition": "amount_minor + 1"}, "neither true nor false"),
        ({"condition": "now() > 1"}, "depends on the clock"),
        ({"on": "child_waits", "after": "soon"}, "after"),
        ({"on": "order_placed", "act": "refund", "at_most_minor": "50", "reason": "x"}, "may not refund"),
        ({"on": "deadline_near", "act": "notify", "severity": "urgent", "text": "x"}, "before"),
        ({"id": "Big Ones"}, "id"),
    ],
)
def test_what_cannot_be_kept_is_named(changes: dict[str, str], said: str) -> None:
    found = automation_of(FORM | changes)
    assert isinstance(found, RefusedAct) and said in found.reason


def test_a_form_says_amounts_in_yuan_and_durations_as_people_do() -> None:
    more = {"on": "child_waits", "after": "36h", "act": "refund", "at_most_minor": "50.5", "reason": "waits"}
    found = automation_of(FORM | more)
    assert not isinstance(found, RefusedAct)
    assert (found.on.after_s, found.do) == (129_600, RefundAct(at_most_minor=5_050, reason="waits"))


async def test_without_workers_nothing_is_tried_asked_or_stopped(desk: Desk) -> None:
    editor, boss = await english(desk, "rule-editor"), await english(desk, "cs-supervisor")
    assert "Nothing is done by itself yet" in (await editor.get("/automations")).text
    assert "Try it on past orders" in (await editor.get("/automations/one")).text
    assert (await editor.post("/automations/try", **FORM)).status_code == 503
    wrong = await editor.post("/automations/try", **FORM | {"condition": "stock > 1"})
    assert wrong.status_code == 409 and "no column" in wrong.text and "stock &gt; 1" in wrong.text
    assert (await boss.post("/automations/stop", why="it holds all")).status_code == 503
    assert (await boss.post("/automations/stop", why="")).status_code == 409
    assert (await editor.get("/automations/one?id=none")).status_code == 404
    assert "has done anything here" in (await boss.get("/automations/runs?order=SO1")).text


async def approve(acting: ActingDesk, person: str, question: str) -> None:
    browser = await acting.sign_in(person)
    chosen = re.search(r'name="chosen" value="([^"]+)"', (await browser.get(f"/approvals/{question}")).text)
    assert chosen, question
    form = {"chosen": chosen[1], "decision": "approve", "remark": "seen", "page": "1"}
    assert "decided" in await acting.done(await browser.post("/approvals", **form))


async def page_of(browser: Browser, path: str) -> str:
    await browser.get("/language/en")
    return (await browser.get(path)).text


@pytest.mark.asyncio(loop_scope="session")
async def test_one_asks_another_decides_it_works_and_a_third_stops_it(acting: ActingDesk) -> None:
    editor, house = await acting.sign_in("rule-editor"), acting.house
    await OrderStore(house.pool).register(an_order("SO20261120"), "run", house.now())
    await page_of(editor, "/automations")
    refused = await editor.post("/automations/ask", **FORM)
    assert refused.status_code == 409 and "was not tried on past orders" in refused.text
    tried = (await editor.post("/automations/try", **FORM)).text
    assert "with 1 orders something would have been done" in tried and "SO20261120" in tried
    where = await acting.done(await editor.post("/automations/ask", **FORM))
    assert where == "/automations?asked=A-automations-1"
    await approve(acting, "order-ops", "A-automations-1")
    assert "Above 80 yuan" in await page_of(editor, "/automations")
    await OrderStore(house.pool).register(an_order("SO20261121"), "run", house.now())
    await house.pool.execute("UPDATE automation_events SET at = $1, next_try_at = $1", house.now())
    assert await AutomationRunner(house.pool).look(house.now()) == 1
    ran = await page_of(editor, "/automations/runs?automation=big-ones")
    assert "SO20261121" in ran and "amount_minor = 10200" in ran and "SO20261120" not in ran
    boss = await acting.sign_in("cs-supervisor")
    assert await acting.done(await boss.post("/automations/stop", why="it holds all")) == "/automations?said=stopped"
    assert "it holds all" in await page_of(boss, "/automations")
    where = await acting.done(await editor.post("/automations/again"))
    await approve(acting, "order-ops", where.partition("asked=")[2])
    assert "All automations are stopped" not in await page_of(editor, "/automations")
