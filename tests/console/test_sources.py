"""Sources of callbacks in the browser: stopped by one, let in again or from elsewhere by two; the relay follows."""

import re

import pytest

from domain.access.callback_sources import SetSource
from domain.strict import of
from providers.callbacks import CallbackRefused
from relay.inbound.source_rules import SourceRules, SourceWatch
from store.inbox.sources import SourceRule, SourceStore
from tests.console.office import ActingDesk, Desk
from tests.console.test_tickets import english
from tests.store.examples import NOW

ASK = {"source": "wechat", "act": "allow", "allow": "203.0.113.0/24 198.51.100.7"}


def test_a_relay_lets_nothing_in_before_it_knows_and_then_what_was_decided() -> None:
    rules = SourceRules(fixed=False)
    assert not rules.known
    rules.take({"wechat": SourceRule(True, ("203.0.113.0/24",)), "tms": SourceRule(False, ())})
    assert rules.known
    for source, caller in (("wechat", "203.0.113.9"), ("qimen", "8.8.8.8")):
        rules.insist(source, caller)
    for source, caller, why in (("wechat", "8.8.8.8", "foreign_ip"), ("tms", "203.0.113.9", "stopped")):
        with pytest.raises(CallbackRefused) as refused:
            rules.insist(source, caller)
        assert (refused.value.reason, refused.value.status) == (why, 403)


@pytest.mark.parametrize("allow", [["203.0.113.7/24"], ["home"], [""], ["::1/200"]])
def test_only_networks_are_networks(allow: list[str]) -> None:
    with pytest.raises(ValueError, match="allow"):
        of(SetSource, {"source": "wechat", "enabled": True, "allow": allow})


async def test_what_a_relay_has_started_with_is_shown_to_all_and_changed_by_two_roles(desk: Desk) -> None:
    store, rules = SourceStore(desk.books), SourceRules(fixed=False)
    finance = await desk.sign_in("finance")
    assert "还没有" in (await finance.get("/settings/sources")).text
    await SourceWatch(store, rules, {"wechat": ("10.0.0.0/8",), "tms": ()}, lambda: NOW).look()
    assert rules.known
    await finance.get("/language/en")
    page = (await finance.get("/settings/sources")).text
    assert "10.0.0.0/8" in page and "from anywhere" in page and "none yet" in page and "Stop at once" not in page
    assert (await finance.post("/settings/sources", **ASK)).status_code == 403
    answer = await (await english(desk, "order-ops")).post("/settings/sources", **{**ASK, "allow": "home"})
    assert answer.status_code == 409 and "does not fit the question" in answer.text


@pytest.mark.asyncio(loop_scope="session")
async def test_one_stops_a_source_two_let_it_in_and_the_relay_follows(acting: ActingDesk) -> None:
    pool = acting.house.pool
    store, rules = SourceStore(pool), SourceRules(fixed=False)
    watch = SourceWatch(store, rules, {"wechat": ()}, acting.house.now)
    await watch.look()
    ops, admin = await acting.sign_in("order-ops"), await acting.sign_in("admin")
    await ops.get("/language/en")
    assert await acting.done(await ops.post("/settings/sources", source="wechat", act="stop", allow="")) == (
        "/settings/sources?asked="
    )
    await watch.look()
    with pytest.raises(CallbackRefused, match="stopped"):
        rules.insist("wechat", "203.0.113.9")
    unknown = await ops.post("/settings/sources", **{**ASK, "source": "nobody"})
    assert unknown.status_code == 409 and "no relay has a source" in unknown.text
    where = await acting.done(await ops.post("/settings/sources", **ASK))
    number = where.partition("asked=")[2]
    await watch.look()
    with pytest.raises(CallbackRefused, match="stopped"):
        rules.insist("wechat", "203.0.113.9")
    page = (await admin.get(f"/approvals/{number}")).text
    chosen = re.search(r'name="chosen" value="([^"]+)"', page)
    assert chosen and "203.0.113.0/24" in page
    decision = {"chosen": chosen[1], "decision": "approve", "remark": "seen", "page": "1"}
    await acting.done(await admin.post("/approvals", **decision))
    await watch.look()
    rules.insist("wechat", "203.0.113.9")
    with pytest.raises(CallbackRefused, match="not on the list"):
        rules.insist("wechat", "8.8.8.8")
    told = [(row.actor, row.detail.get("approved_by")) for row in await acting.desk.audit("source.changed")]
    assert sorted(told, key=str) == [("order-ops", "admin"), ("order-ops", None)]
