"""A case's trace shows what the case does as its children, and names whose messages made it do so."""

from typing import Any

import pytest

from bench.scenarios.environment import Servers
from bench.scenarios.environment import servers as rooms
from bench.scenarios.environment.return_case import case_of
from domain.returns.enums import CaseStatus, ReturnType
from tests.returns.orders import signed
from tests.spans import seen, traced

CASE = ("RunWorkflow:Return", "StartUpdateWithStartWorkflow:Return")

STEPS = ("returns.write", "returns.quote", "returns.issue_code", "returns.reserve_refund", "payment.refund")


async def test_what_a_case_does_hangs_below_it_and_names_who_made_it_do_so(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    untraced = rooms._namespace

    async def namespace(*of: Any) -> Any:
        return traced(await untraced(*of))

    monkeypatch.setattr(rooms, "_namespace", namespace)
    with seen() as spans:
        async with servers.house() as house:
            case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
            await case.apply()
            await case.decide()
            await case.goods_come_back()
            assert (await case.shown()).status is CaseStatus.REFUNDED
        assert spans.in_the_air() == set()
        for step in (
            "returns.write",
            "returns.quote",
            "returns.issue_code",
            "returns.reserve_refund",
            "payment.refund",
        ):
            assert spans.lines(f"RunActivity:{step}") == {(f"StartActivity:{step}", *CASE)}, step
        assert spans.askers("StartActivity:returns.issue_code") == {"StartWorkflowUpdate:decide"}
        assert spans.askers("StartActivity:returns.quote") == {"StartWorkflowUpdate:scan"}
