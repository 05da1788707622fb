"""Drafts of the policy: tried on what the books hold, made from what counts, and never without a change."""

from datetime import timedelta

import pytest

from domain.policy import Policy
from store.errors import ChangeRefused, PolicyOvertaken
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.rules.policies import PolicyStore
from store.rules.policy_drafts import PolicyDrafts
from store.stock.ledger import StockStore
from tests.store.cases import LATER, a_case, an_arrived_order
from tests.store.examples import NOW

LOW = Policy(small_refund_max_minor=1, no_reason_days=1, dispatch_s=1)


async def test_a_draft_is_tried_on_orders_and_returns_of_the_books(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await PolicyStore(pool).publish(Policy(), "u-fin")
    await an_arrived_order(orders, stock)
    await a_case(ReturnStore(pool), pool, lines={"L1": 1})
    await pool.execute("UPDATE orders SET dispatch_by = paid_at + interval '2 days'")
    await pool.execute("UPDATE child_orders SET shipped_at = $1", NOW + timedelta(hours=1))
    drafts = PolicyDrafts(pool)
    number = await drafts.draft(LOW, "low", 1, "u-ops", NOW)
    assert number == await drafts.draft(LOW, "low", 1, "u-ops", NOW), "told again it is the same"
    found = await drafts.try_on_the_past(number, "u-ops", LATER)
    assert (found.returns, found.orders, found.planned) == (1, 1, 1)
    assert (found.before.finance, found.before.too_late, found.before.in_time) == (0, 0, 1)
    assert (found.after.finance, found.after.too_late, found.after.in_time) == (1, 1, 0)
    assert await drafts.last_trial(number) == found.model_dump(mode="json")


async def test_a_draft_that_changes_nothing_or_was_made_from_another_version_is_not_kept(pool: Pool) -> None:
    drafts = PolicyDrafts(pool)
    with pytest.raises(ChangeRefused, match="nothing differs"):
        await drafts.draft(Policy(), "same", 0, "u-ops", NOW)
    with pytest.raises(PolicyOvertaken):
        await drafts.draft(LOW, "late", 7, "u-ops", NOW)
    assert await drafts.drafts() == ()
