"""What an empty installation still needs; a ready set is asked for and, once decided, counts (R76, R80)."""

import re

import pytest

from domain.automation.conditions import faults_of
from domain.automation.model import AutomationBook
from domain.policy import Policy
from domain.returns.forms import FormBook
from store.rules.templates import ready_sets
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
