"""Goods, money from outside and drafts of rules: done by the worker, for who has been proven (decision 0046)."""

from typing import Any

import pytest

from bench.scenarios.environment import ScenarioEnvironment
from domain.access.authority import Binding, ProofCode
from domain.access.desk import AskAboutMoney, DeskTask, DraftRules, OpenChargeback, ReceiveGoods, desk_workflow_id
from domain.refunds.outside import BookAs
from domain.rules.sets import RuleSet
from starter.clients.desk import DeskClient, NotDone
from starter.clients.errors import CommandRefused
from store.rules.rule_sets import RuleSetStore
from tests.authority.sender import FOREIGN
from tests.outside_money.money import called_back, refund_by_hand
from tests.returns.orders import paid

GOODS = ReceiveGoods(sku="CUP", warehouse="WH-1", qty=5, ref="GR-1")


def client(house: ScenarioEnvironment, signed_by: str | None = "by", **changed: Any) -> DeskClient:
    async def prove(binding: Binding, by: str) -> str:
        return house.office.proof(by if signed_by == "by" else str(signed_by), binding, **changed)

    return DeskClient(house.temporal, prover=None if signed_by is None else prove)


async def in_stock(house: ScenarioEnvironment) -> int:
    rows = await house.stock.show("CUP", "WH-1")
    return sum(row.available for row in rows)


@pytest.mark.parametrize(
    ("signed_by", "by", "changed", "code"),
    [
        (None, "u-wh", {}, ProofCode.PROOF_REQUIRED),
        ("u-cs", "u-wh", {}, ProofCode.NOT_THE_SENDER),
        ("by", "u-cs", {}, ProofCode.WRONG_ROLE),
        ("by", "u-wh", {"key": FOREIGN}, ProofCode.TOKEN_INVALID),
    ],
)
async def test_goods_are_received_by_nobody_who_is_not_proven_to_be_of_the_warehouse(
    house: ScenarioEnvironment, signed_by: str | None, by: str, changed: dict[str, Any], code: ProofCode
) -> None:
    with pytest.raises(CommandRefused) as refused:
        await client(house, signed_by, **changed).do(GOODS, 1, by)
    assert refused.value.type == code and await in_stock(house) == 0


async def test_a_receipt_counts_once_and_names_who_was_proven(house: ScenarioEnvironment) -> None:
    for n, booked in ((1, True), (2, False)):
        assert (await client(house).do(GOODS, n, "u-wh"))["booked"] is booked
    assert await in_stock(house) == 5
    rows = await house.pool.fetch("SELECT actor FROM audit WHERE action = 'stock.receive'")
    assert [row["actor"] for row in rows] == ["u-wh"]


async def test_a_proof_for_one_work_does_no_other(house: ScenarioEnvironment) -> None:
    more = GOODS.model_copy(update={"qty": 500})

    async def prove(binding: Binding, by: str) -> str:
        return house.office.proof(by, Binding(desk_workflow_id(GOODS, 1), binding.command, binding.content_hash))

    with pytest.raises(CommandRefused) as refused:
        await DeskClient(house.temporal, prover=prove).do(more, 1, "u-wh")
    assert refused.value.type == ProofCode.PROOF_MISMATCH and await in_stock(house) == 0


async def test_finance_does_not_ask_about_money_in_anothers_name(house: ScenarioEnvironment) -> None:
    life = await paid(house)
    await called_back(house, refund_by_hand(life, 300))
    ask = AskAboutMoney(money_no=1, book_as=BookAs.REFUND, evidence="the back office's page")
    with pytest.raises(CommandRefused) as refused:
        await client(house, "u-fin").do(ask, 1, "u-cs")
    assert refused.value.type == ProofCode.NOT_THE_SENDER
    assert await house.office.approvals.list(state=None) == ()
    asked = await client(house).do(ask, 2, "u-cs")
    assert (asked["requested_by"], asked["role"]) == ("u-cs", "FINANCE")


async def test_what_does_not_fit_the_books_is_refused_with_nothing_done(house: ScenarioEnvironment) -> None:
    work: DeskTask = OpenChargeback(chargeback_id="CB-1", order_no="SO-NOBODY", amount_minor=100)
    with pytest.raises(NotDone) as refused:
        await client(house).do(work, 1, "u-fin")
    assert refused.value.type == "DeskRefused"
    assert not await house.pool.fetchval("SELECT count(*) FROM chargebacks")


async def test_who_drafts_rules_is_who_was_proven(house: ScenarioEnvironment) -> None:
    work = DraftRules(rules=RuleSet(name="mine", tables={}))
    with pytest.raises(CommandRefused) as refused:
        await client(house, "u-ops").do(work, 1, "u-somebody")
    assert refused.value.type == ProofCode.NOT_THE_SENDER
    kept = await client(house).do(work, 2, "u-ops")
    assert (await RuleSetStore(house.pool).draft_of(kept["draft_no"])).drafted_by == "u-ops"
