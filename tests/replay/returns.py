"""Records the histories of cases anew: `python -m tests.replay.returns`. Those of orders: `tests/replay/record.py`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bench.scenarios.environment import ScenarioEnvironment, Servers
from bench.scenarios.environment.return_case import Case, case_of
from domain.facts import Kind
from domain.returns.enums import Grade, ReturnType
from tests.replay.record import keep
from tests.returns.orders import cups, paid, signed
from workflows.returns.messages import LowerAmount

Story = Callable[[ScenarioEnvironment], Awaitable[Case]]


async def refunded(house: ScenarioEnvironment) -> Case:
    """Above the small amount, lowered on the way, with a reminder, a courier and a defect."""
    case = await case_of(await signed(house, cups(2, 20_000)), ReturnType.RETURN_REFUND, {"L1": 2})
    await case.apply()
    await house.pass_until(house.now() + timedelta(hours=25))
    await case.decide()
    number = await case.enter_waybill()
    await case.courier(Kind.COLLECTED, number)
    await case.receive()
    await case.scan()
    await case.scan(Grade.MINOR)
    await case.client.lower(case.return_no, LowerAmount(by="u-cs", amount_minor=30_000, reason="agreed"))
    await house.rest()
    await case.decide()
    await case.decide()
    return case


async def exchanged(house: ScenarioEnvironment) -> Case:
    life = await signed(house, cups(1))
    await house.receive("CUP-L", (await life.detail()).lines[0]["warehouse"], 1)
    case = await case_of(life, ReturnType.EXCHANGE, {"L1": 1}, replacements={"L1": "CUP-L"})
    await case.apply()
    await case.decide()
    await case.goods_come_back()
    await case.check_outbound(passed=True)
    await life.happens(Kind.WAYBILL_RETURNED, 2)
    await life.happens(Kind.SIGNED, 2)
    return case


async def never_sent(house: ScenarioEnvironment) -> Case:
    """It closes, a parcel comes after all, and a linked case takes it in."""
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.decide()
    await house.pass_until(house.now() + timedelta(days=7, seconds=2))
    await case.receive()
    await house.rest()
    return case


async def stopped(house: ScenarioEnvironment) -> Case:
    case = await case_of(await paid(house), ReturnType.CANCEL_UNSHIPPED, {"L1": 2}, images=0)
    await case.apply()
    await case.decide()
    return case


CASES: dict[str, Story] = {
    "return_refunded": refunded,
    "return_exchanged": exchanged,
    "return_never_sent": never_sent,
    "return_stopped": stopped,
}


async def record_returns() -> None:
    async with Servers() as servers:
        for name, story in CASES.items():
            async with servers.house() as house:
                keep(name, await (await story(house)).handle.fetch_history())


if __name__ == "__main__":
    asyncio.run(record_returns())
