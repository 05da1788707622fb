"""A case through every real door; a refund whose answer is lost while the worker is killed is paid once (N3)."""

import asyncio
import time

import pytest

from bench.checks import return_invariants
from bench.demo.environment import DemoEnvironment
from bench.demo.return_stories import Case
from bench.demo.staffing import STAFF
from bench.demo.stories import plain
from bench.faults.chaos import kill
from domain.returns.enums import CaseStatus, ReturnType
from tests.e2e.lives import orders_with_goods


@pytest.mark.timeout(240)
async def test_a_refund_that_was_accepted_but_not_answered_survives_a_killed_worker_and_is_one(
    stage: DemoEnvironment,
) -> None:
    (order,) = await orders_with_goods(stage, 1)
    await stage.office.hire(STAFF)
    await plain(stage, order)
    await stage.until(order.order_no, "delivery", lambda s: s.status == "DELIVERED")
    case = Case(stage, order, ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    number = f"R{case.return_no}"
    await stage.fault("wechat", "refund", "error_after", refund_no=number)

    async def killed() -> None:
        """As soon as the money is on its way."""
        while (await case.store.view(case.return_no)).status is not CaseStatus.REFUNDING:  # type: ignore[union-attr]
            await asyncio.sleep(0.02)
        await kill("worker", lambda _line: None)

    await asyncio.gather(case.go_on(), killed())
    asked = [row for row in await _ledger(stage) if row["op"] == "refund" and row["key"] == number]
    assert [row["amount_minor"] for row in asked] == [5_300]
    deadline = time.monotonic() + 10
    while broken := [f for f in await return_invariants.check(stage.pool) if not f.holds]:
        assert time.monotonic() < deadline, broken
        await asyncio.sleep(0.5)


async def _ledger(stage: DemoEnvironment) -> list[dict[str, object]]:
    rows = (await stage.http.get(f"{stage.sandboxes['wechat']}/_ledger")).json()
    return list(rows["rows"] if isinstance(rows, dict) else rows)
