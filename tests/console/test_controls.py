"""People, settings and the audit in the browser: every change is asked for, another person decides it, and it shows."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.pages.controls.policy_fields import Unreadable, duration, fields_of, read_back
from domain.approvals import Role
from domain.policy import Policy
from domain.records import AuditEntry
from domain.strict import of
from store.audit.audit import AuditStore
from store.orders.orders import OrderStore
from tests.console.office import ActingDesk, Browser, Desk
from tests.console.test_tickets import english
from tests.store.examples import NOW, an_order


def test_what_a_form_shows_of_the_policy_reads_back_as_the_same_policy() -> None:
    policy = Policy()
    said = {field.name: field.text for field in fields_of(policy)}
    assert of(Policy, read_back(policy, said)) == policy
    changed = of(Policy, read_back(policy, {**said, "small_refund_max_minor": "250.5", "window_s": "1d 12h"}))
    assert (changed.small_refund_max_minor, changed.window_s) == (25_050, 129_600)
    assert changed.model_copy(update={"small_refund_max_minor": 10_000, "window_s": policy.window_s}) == policy


@given(st.integers(1, 10 * 365 * 86_400))
def test_a_duration_is_written_as_it_is_read(seconds: int) -> None:
    assert read_back(Policy(), {"window_s": duration(seconds)})["window_s"] == seconds


def test_times_of_channels_are_written_as_people_say_them() -> None:
    said = {"dispatch_by_channel": "douyin=24h， tmall = 2d"}
    policy = of(Policy, read_back(Policy(), said))
    assert policy.dispatch_by_channel == {"douyin": 86_400, "tmall": 172_800}
    (shown,) = [one for one in fields_of(policy) if one.name == "dispatch_by_channel"]
    assert shown.text == "douyin=24h, tmall=2d"
    assert of(Policy, read_back(policy, {"dispatch_by_channel": ""})).dispatch_by_channel == {}
    for wrong in ("douyin", "=24h", "douyin=soon", "douyin=1h, douyin=2h"):
        with pytest.raises(Unreadable):
            read_back(Policy(), {"dispatch_by_channel": wrong})


@pytest.mark.parametrize(
    ("name", "text"),
    [("window_s", "7"), ("window_s", "7d and more"), ("small_refund_max_minor", "1.001"), ("max_applications", "few")],
)
def test_a_setting_that_says_nothing_is_named(name: str, text: str) -> None:
    with pytest.raises(Unreadable, match=name):
        read_back(Policy(), {name: text})


async def test_who_there_is_reads_in_both_languages_with_what_each_sees(desk: Desk) -> None:
    await desk.books.execute("INSERT INTO person_scopes VALUES ('cs-agent', 'channel', 'jd')")
    browser = await desk.sign_in("admin")
    page = (await browser.get("/people")).text
    assert "cs-agent" in page and "客服" in page and ">jd<" in page.replace("\n", "")
    await browser.get("/language/en")
    one = (await browser.get("/people/person?id=cs-agent")).text
    assert 'value="jd"' in one and "Deactivate now" in one
    own = (await browser.get("/people/person?id=admin")).text
    assert "Nobody changes their own roles" in own
    assert (await browser.get("/people/person?id=nobody")).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "add_person", "person_id": "a b"}, {"kind": "add_person", "person_id": "x", "role": "SERVICE"},
        {"kind": "delegate_roles", "about": "finance", "delegate": "cs-agent", "until": "soon"},
        {"kind": "set_scope", "about": "cs-agent", "channels": "a b"},
    ],
)  # fmt: skip
async def test_a_change_that_says_too_little_is_refused_before_it_is_sent(desk: Desk, form: dict[str, str]) -> None:
    browser = await english(desk, "admin")
    answer = await browser.post("/people/change", **form)
    assert answer.status_code == 409 and "does not fit the question" in answer.text
    assert (await browser.post("/people/change", kind="promote")).status_code == 400


async def test_without_workers_no_change_is_asked_for(desk: Desk) -> None:
    browser = await english(desk, "admin")
    answer = await browser.post("/people/change", kind="add_person", person_id="u-new", role="FINANCE")
    assert answer.status_code == 503 and "nothing was sent" in answer.text
    assert await desk.books.fetchval("SELECT count(*) FROM approvals") == 0


async def settings(browser: Browser, act: str, **said: str) -> Any:
    fields = {field.name: field.text for field in fields_of(Policy())}
    return await browser.post(f"/settings/{act}", **{**fields, **said})


async def test_settings_say_what_becomes_looser_before_anything_is_asked(desk: Desk) -> None:
    browser = await english(desk, "order-ops")
    assert "7d" in (await browser.get("/settings")).text
    looser = (await settings(browser, "look", window_s="30d")).text
    assert "looser: after-sales window 7d → 30d" in looser
    tighter = (await settings(browser, "look", window_s="3d")).text
    assert "Nothing becomes looser" in tighter and "3d" in tighter
    assert "That is how it is already" in (await settings(browser, "look")).text
    wrong = await settings(browser, "look", window_s="long")
    assert wrong.status_code == 409 and "window_s" in wrong.text and 'value="long"' in wrong.text
    assert (await settings(browser, "draft")).status_code == 409, "nothing would change"
    assert (await settings(browser, "draft", window_s="3d")).status_code == 503, "no workers in this test"


async def test_the_audit_reads_in_words_and_is_looked_through(desk: Desk) -> None:
    await OrderStore(desk.books).register(an_order("SO1001", channel="tmall"), "run", NOW)
    store = AuditStore(desk.books)
    await store.append(AuditEntry(actor="u-1", action="people.role_given", detail={"role": "FINANCE"}), NOW)
    await store.append(AuditEntry(actor="<b>u-2</b>", action="order.cancel", detail={"a": {"b": "<i>"}}), NOW, "SO1001")
    browser = await english(desk, "finance")
    page = (await browser.get("/audit")).text
    assert "Role given" in page and "Finance" in page and "&lt;b&gt;u-2" in page and "<i>" not in page
    only = (await browser.get("/audit?kind=people&actor=u-1")).text
    assert "Role given" in only and "u-2" not in only
    assert "u-2" in (await browser.get(f"/audit?order=SO1001&day={NOW.date()}")).text
    assert "Nothing of that kind" in (await browser.get("/audit?day=2020-01-01")).text
    for wrong in ("kind=x", "day=x", "after=x", "after=-1", "day=9999-01-01"):
        assert (await browser.get(f"/audit?{wrong}")).status_code == 400
    await desk.books.execute("INSERT INTO person_scopes VALUES ('finance', 'channel', 'jd')")
    assert "u-2" not in (await browser.get("/audit")).text, "of another shop"


async def test_page_after_page_the_audit_shows_every_row_once(desk: Desk) -> None:
    store = AuditStore(desk.books)
    for n in range(60):
        await store.append(AuditEntry(actor=f"u-{n}", action="order.close"), NOW)
    browser, seen, path = await english(desk, "finance"), [], "/audit?kind=order"
    while path:
        page = (await browser.get(path)).text
        seen += re.findall(r">(u-\d+)</a>", page)
        found = re.search(r'href="(/audit\?[^"]+)">Next page', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == [f"u-{n}" for n in reversed(range(60))]


async def test_a_changed_row_of_the_audit_is_found_from_the_page(desk: Desk) -> None:
    await AuditStore(desk.books).append(AuditEntry(actor="u-1", action="order.close"), NOW)
    browser = await english(desk, "admin")
    assert "The log is whole" in (await browser.post("/audit/verify")).text
    async with desk.books.acquire() as connection, connection.transaction():
        await connection.execute("ALTER TABLE audit DISABLE TRIGGER USER")
        await connection.execute("UPDATE audit SET actor = 'u-2' WHERE actor = 'u-1'")
        await connection.execute("ALTER TABLE audit ENABLE TRIGGER USER")
    row = await desk.books.fetchval("SELECT id FROM audit WHERE actor = 'u-2'")
    assert f"NOT whole: row {row} " in (await browser.post("/audit/verify")).text
    assert [one.detail["broken_at"] for one in await desk.audit("audit.verified")] == [row, None]


@pytest.mark.asyncio(loop_scope="session")
async def test_two_administrators_change_people_and_one_takes_power_away(acting: ActingDesk) -> None:
    """Asked twice it is one question; deactivating is at once."""
    asker, house = await acting.sign_in("admin"), acting.house
    form = {"kind": "add_person", "person_id": "u-new", "role": "FINANCE"}
    where = await acting.done(await asker.post("/people/change", **form))
    assert where == await acting.done(await asker.post("/people/change", **form)) and "asked=A-people" in where
    assert "u-new" not in {p["person_id"] for p in await house.pool.fetch("SELECT person_id FROM people")}
    await house.pool.execute("INSERT INTO people (person_id, source, created_at) VALUES ('admin-2', 'local', now())")
    await house.pool.execute(
        "INSERT INTO person_roles (person_id, role, granted_at, granted_by) VALUES ('admin-2', 'ADMIN', now(), 'test')"
    )
    other = await acting.sign_in("admin-2")
    question = "A-people/u-new-1"
    chosen = re.search(r'name="chosen" value="([^"]+)"', (await other.get(f"/approvals/{question}")).text)
    assert chosen
    form = {"chosen": chosen[1], "decision": "approve", "remark": "seen", "page": "1"}
    await acting.done(await other.post("/approvals", **form))
    roles = await house.pool.fetch("SELECT role FROM person_roles WHERE person_id = 'u-new'")
    assert [row["role"] for row in roles] == [Role.FINANCE]
    gone = await acting.done(await asker.post("/people/change", kind="set_active", about="u-new", active=""))
    assert gone == "/people/person?id=u-new&done=1"
    assert not await house.pool.fetchval("SELECT active FROM people WHERE person_id = 'u-new'")


@pytest.mark.asyncio(loop_scope="session")
async def test_a_setting_is_drafted_tried_asked_for_and_in_force_without_a_further_step(acting: ActingDesk) -> None:
    browser = await acting.sign_in("order-ops")
    draft = await acting.done(await settings(browser, "draft", window_s="30d", draft_name="longer"))
    assert draft == "/settings/drafts/1"
    early = await browser.post(f"{draft}/ask")
    assert early.status_code == 409 and "never tried" in early.text
    assert await acting.done(await browser.post(f"{draft}/try")) == draft
    assert "left as promised" in (await (await english_of(browser)).get(draft)).text
    asked = await acting.done(await browser.post(f"{draft}/ask"))
    assert asked == f"{draft}?asked=A-policy-1"
    other = await acting.sign_in("finance")
    chosen = re.search(r'name="chosen" value="([^"]+)"', (await other.get("/approvals/A-policy-1")).text)
    assert chosen
    said = {"chosen": chosen[1], "decision": "approve", "remark": "seen", "page": "1"}
    await acting.done(await other.post("/approvals", **said))
    assert "as version 1" in (await browser.get(draft)).text
    assert await acting.done(await browser.post("/settings/versions/0/bring-back")) == "/settings/drafts/2"
    assert (await browser.post("/settings/versions/1/bring-back")).status_code == 409, "it is in force"
    assert (await browser.post("/settings/versions/9/bring-back")).status_code == 404


async def english_of(browser: Browser) -> Browser:
    await browser.get("/language/en")
    return browser
