"""What an empty installation still needs; a ready set is asked for and, once decided, counts (R76, R80)."""

import re

import pytest

from domain.automation.conditions import faults_of
from domain.automation.model import AutomationBook
from domain.catalog.records import SkuRecord
from domain.policy import Policy
from domain.returns.forms import FormBook
from store.rules.templates import ready_sets
from store.stock.catalog import CatalogStore
from tests.console.office import ActingDesk, Desk
from tests.console.test_automations import approve, page_of
from tests.console.test_tickets import english


@pytest.mark.parametrize("one", ready_sets(), ids=lambda one: one.id)
def test_each_ready_set_could_be_published_and_comes_beside_what_there_is(one: object) -> None:
    (ready,) = (each for each in ready_sets() if each is one)
    assert faults_of(ready.automations) == () and ready.policy_on(Policy()) != Policy()
    mine = ready_sets()[0].automations_on(AutomationBook())
    assert {a.id for a in ready.automations_on(mine).automations} >= {a.id for a in mine.automations}
    own = FormBook(rules=ready.forms.rules[:1])
    assert ready.forms_on(own).rules == ready.forms.rules


async def test_an_empty_installation_is_told_what_is_missing_and_no_key_is_shown(desk: Desk) -> None:
    page = (await (await english(desk, "admin")).get("/setup")).text
    missing = re.findall(r'bg-yellow-lt">(\w+)<', page)
    assert len(missing) >= 7 and "Catalogue file" in page and "cold chain" in page.lower()
    assert "Ask for it" not in page, "who looks after people publishes no automations"
    operations = await english(desk, "order-ops")
    assert (await operations.post("/setup/set?id=none")).status_code == 404
    assert (await operations.post("/setup/set?id=cold-chain")).status_code == 503, "no workers in this test"


@pytest.mark.asyncio(loop_scope="session")
async def test_a_ready_set_is_three_questions_and_counts_once_others_have_agreed(acting: ActingDesk) -> None:
    asker = await acting.sign_in("order-ops")
    await page_of(asker, "/setup")
    said = (await asker.post("/setup/set?id=cold-chain")).text
    numbers = re.findall(r'href="/approvals/([^"]+)"', said)
    assert [n.replace("%2F", "/").rpartition("-")[0] for n in numbers] == ["A-policy", "A-automations", "A-forms"]
    await acting.house.pool.execute(
        "INSERT INTO person_roles (person_id, role, granted_at, granted_by) "
        "VALUES ('rule-editor', 'ORDER_OPS', now(), 'test') ON CONFLICT DO NOTHING"
    )
    for person, number in zip(("finance", "rule-editor", "cs-supervisor"), numbers, strict=True):
        await approve(acting, person, number)
    assert "late-today" in await page_of(asker, "/automations")
    assert "Fresh and frozen" in await page_of(asker, "/forms")
    assert "That is how it is already" in (await asker.post("/setup/set?id=cold-chain")).text


ME = {
    "recipient": "张三", "phone": "13800138000", "province": "浙江省", "city": "杭州市", "street": "人民路 1 号",
    "channel": "wechat",
}  # fmt: skip


@pytest.mark.asyncio(loop_scope="session")
async def test_a_test_order_is_placed_paid_and_seen_to_go_through(acting: ActingDesk) -> None:
    house = acting.house
    asker = await acting.sign_in("order-ops")
    assert "No SKU has stock yet" in await page_of(asker, "/setup/test-order")
    await CatalogStore(house.pool).put([SkuRecord(sku="MUG", name="Mug", ship_from=("WH-EAST",))], "test", house.now())
    await house.receive("MUG", "WH-EAST", 2)
    refused = await asker.post("/setup/test-order", sku="MUG", **ME | {"phone": "no number"})
    assert refused.status_code == 409 and not await house.pool.fetchval("SELECT count(*) FROM orders")
    assert 'value="人民路 1 号"' in refused.text, "what was said stays in its fields"
    assert (await asker.post("/setup/test-order", sku="SOLD-OUT", **ME)).status_code == 409
    await acting.done(await asker.post("/setup/test-order", sku="MUG", **ME))
    page = await page_of(asker, "/setup/test-order")
    assert "<svg" in page.split('id="placed"')[1] and "Pay its 0.01" in page
    order = await house.pool.fetchrow("SELECT order_no, payable_minor, channel FROM orders")
    assert order is not None and order["order_no"].startswith("TEST-") and tuple(order)[1:] == (1, "test")
    await house.deliver(house.systems.pays(order["order_no"], 1, house.now()))
    page = await page_of(asker, "/setup/test-order")
    assert "Pay its 0.01" not in page
    steps = re.findall(r"bg-(green|yellow)-lt", page.split('id="placed"')[1])
    assert steps == ["green", "green", "green", "yellow", "yellow"]
    await house.pool.execute("INSERT INTO person_scopes VALUES ('order-ops', 'channel', 'jd')")
    assert order["order_no"] not in await page_of(asker, "/setup/test-order"), "another shop's"
