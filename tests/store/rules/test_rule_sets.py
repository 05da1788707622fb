"""Rule sets: drafted by one, published by another, never changed, and kept by the orders that started with them."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from domain.order import OrderLine, SkuTags
from domain.policy import Policy
from domain.records import Settled, SettlePayment
from domain.rules.check import InvalidRuleSet
from store.audit.audit import AuditStore
from store.errors import NoSuchRuleSet, RuleSetNotPublished, RulesUnchanged
from store.orders.orders import OrderStore
from store.pool import Pool
from store.rules.defaults import built_in
from store.rules.rule_sets import RuleSetStore
from tests.domain.rules import a_table
from tests.store.examples import NOW, a_payment, a_write, an_order
from tests.store.rule_books import approved, given, published, published_at

NOT_A = a_table("custom_split", {"ship_from": "!= 'A'", "group": '"not-A"'})
TOGETHER = a_table("custom_split", {"group": '"all"'})


@pytest.fixture
def rules(pool: Pool) -> RuleSetStore:
    return RuleSetStore(pool)


async def registered(orders: OrderStore, number: str) -> None:
    lines = tuple(
        OrderLine(line_id=f"L{n}", sku=f"S{n}", qty=1, unit_price_minor=100, tags=SkuTags(warehouse=w))
        for n, w in enumerate("ABA")
    )
    await orders.register(an_order(number, lines=lines, freight=(), payable_minor=300), "run-1", NOW)


async def settled(orders: OrderStore, number: str) -> Settled:
    write = a_write(number, payment=a_payment(number, amount=300))
    return await orders.settle(SettlePayment(write=write, policy=Policy()))


def reasons(settled: Settled) -> list[list[tuple[str, str]]]:
    return [[(r.dim, r.value) for r in child.reasons] for child in settled.children]


async def test_drafts_and_versions_are_numbered_kept_and_audited(rules: RuleSetStore, pool: Pool) -> None:
    assert await rules.current() is None
    first = await published(pool, custom_split=NOT_A)
    second = await published_at(pool, NOW + timedelta(hours=1), separation=built_in().tables["separation"])
    assert [v.version for v in await rules.history()] == [2, 1, 0]
    assert (first.drafted_by, first.published_by, first.draft_no) == ("u-ed", "u-boss", 1)
    assert second.rule_set.tables["custom_split"] == NOT_A, "tables that are left out stay as they counted"
    assert (await rules.version(0)).rule_set == built_in()
    assert [d.version for d in await rules.drafts()] == [2, 1]
    entries = [(row.actor, row.action) for row in await AuditStore(pool).list() if row.action.startswith("rules.")]
    assert entries == [("u-boss", "rules.publish"), ("u-ed", "rules.draft")] * 2
    with pytest.raises(NoSuchRuleSet):
        await rules.version(9)
    with pytest.raises(NoSuchRuleSet):
        await rules.draft_of(9)


async def test_a_rule_set_that_is_wrong_is_not_kept(rules: RuleSetStore) -> None:
    with pytest.raises(InvalidRuleSet, match="no column"):
        await rules.draft(
            given(custom_split=a_table("custom_split", {"ship_from": "!= A", "group": '"x"'})), "u-ed", NOW
        )
    assert await rules.drafts() == ()


async def test_publishing_twice_is_publishing_once(rules: RuleSetStore, pool: Pool) -> None:
    draft = await rules.draft(given(custom_split=NOT_A), "u-ed", NOW)
    decided = await approved(pool, draft)
    both = await asyncio.gather(*(rules.publish(draft, decided, NOW) for _ in range(4)))
    assert {v.version for v in both} == {1}


async def test_a_draft_that_another_version_has_overtaken_is_not_published(rules: RuleSetStore, pool: Pool) -> None:
    late = await rules.draft(given(custom_split=TOGETHER), "u-ed", NOW)
    await published(pool, custom_split=NOT_A)
    with pytest.raises(RuleSetNotPublished, match="version 1 has come since"):
        await rules.publish(late, await approved(pool, late), NOW)


async def test_rolling_back_is_a_new_version_with_the_old_content(rules: RuleSetStore, pool: Pool) -> None:
    first = await published(pool, custom_split=NOT_A)
    await published(pool, custom_split=TOGETHER)
    draft = await rules.roll_back(1, "u-ops", NOW)
    assert (draft.copies, draft.content_hash) == (1, first.content_hash)
    back = await rules.publish(draft, await approved(pool, draft), NOW)
    assert (back.version, back.rule_set.tables, back.content_hash) == (3, first.rule_set.tables, first.content_hash)
    with pytest.raises(RulesUnchanged, match="version 3 counts, and is what version 1 was"):
        await rules.roll_back(1, "u-ops", NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"by": "u-ed"},
        {"content_hash": "0" * 64},
        {"forged": True},
    ],
)
async def test_the_database_itself_refuses_a_version_without_another_persons_approval(
    rules: RuleSetStore, pool: Pool, change: dict[str, Any]
) -> None:
    draft = await rules.draft(given(custom_split=NOT_A), "u-ed", NOW)
    if "by" in change:
        decided = (await approved(pool, draft)).model_copy(update={"person_id": "u-ed"})
    else:
        decided = await approved(pool, draft, content_hash=change.get("content_hash"))
    if change.get("forged"):
        decided = decided.model_copy(update={"approval_id": "A-rules/9-1"})
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await rules.publish(draft, decided, NOW)
    assert await rules.current() is None


@pytest.mark.parametrize("table", ["rule_sets", "rule_drafts", "rule_simulations"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET {} = {}", "TRUNCATE {} CASCADE"])
async def test_versions_drafts_and_simulations_only_grow(pool: Pool, table: str, statement: str) -> None:
    column = {"rule_sets": "remark", "rule_drafts": "name", "rule_simulations": "by"}[table]
    with pytest.raises(asyncpg.RestrictViolationError):
        await pool.execute(statement.format(table, column, column))


async def test_a_rule_published_while_fifty_orders_are_open_changes_only_later_ones(
    orders: OrderStore, pool: Pool
) -> None:
    await RuleSetStore(pool).ensure_built_in(NOW)
    before = [f"SO-BEFORE-{n:02}" for n in range(50)]
    for number in before:
        await registered(orders, number)
    half = [await settled(orders, number) for number in before[:25]]
    await published(pool, custom_split=NOT_A)
    await registered(orders, "SO-AFTER-1")
    by_warehouse = [[("warehouse", "A")], [("warehouse", "B")]]
    for one in (*half, *[await settled(orders, number) for number in before[25:]]):
        assert reasons(one) == by_warehouse
    assert reasons(await settled(orders, "SO-AFTER-1")) == [[("custom", "none")], [("custom", "not-A")]]
    kept = await pool.fetch("SELECT rules_version, count(*) FROM orders GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in kept] == [(0, 50), (1, 1)]


async def test_an_order_from_before_there_were_rule_sets_is_split_by_its_policy(orders: OrderStore, pool: Pool) -> None:
    await registered(orders, "SO-OLD-1")
    await published(pool, custom_split=NOT_A)
    assert reasons(await settled(orders, "SO-OLD-1")) == [[("warehouse", "A")], [("warehouse", "B")]]
    assert await pool.fetchval("SELECT rules_version FROM orders") is None


async def test_orders_registered_while_a_version_is_published_get_one_or_the_other(
    orders: OrderStore, pool: Pool
) -> None:
    await RuleSetStore(pool).ensure_built_in(NOW)
    await asyncio.gather(published(pool, custom_split=NOT_A), *(registered(orders, f"SO-RACE-{n}") for n in range(10)))
    for n in range(10):
        version = await pool.fetchval("SELECT rules_version FROM orders WHERE order_no = $1", f"SO-RACE-{n}")
        first = reasons(await settled(orders, f"SO-RACE-{n}"))[0]
        assert first == ([("custom", "none")] if version else [("warehouse", "A")])


async def test_the_built_in_set_comes_in_once(rules: RuleSetStore) -> None:
    for later in range(2):
        await rules.ensure_built_in(NOW + timedelta(days=later))
    assert [(v.version, v.published_at) for v in await rules.history()] == [(0, NOW)]
