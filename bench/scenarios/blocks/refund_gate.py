"""`refund_gate`: every request for the money of a case meets the gate of its running workflow (R53).

The case is large enough for finance, whose decision lets the money go: `refund` asks for the money and, when nothing
but that decision is missing, takes it. The times are the file's, by one constant offset.
"""

from typing import Any, Literal

from pydantic import AwareDatetime, TypeAdapter

from bench.scenarios.document import Scenario, block, read_as
from bench.scenarios.environment import Servers
from bench.scenarios.environment.goods import hand_out
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.shift import Shift
from domain.returns.enums import CaseStatus, ReturnType
from domain.returns.gate import GateResult, GateState, refund_gate
from domain.strict import Strict
from starter.clients.approvals import DecisionNotTaken
from starter.clients.return_errors import StepRefused

LARGE = 20_000
"""Fen: finance has to agree before payout."""


class StepIn(Strict):
    at: AwareDatetime
    op: Literal["apply", "approve", "buyer_ship", "receive", "inspect", "refund"]


STEPS = TypeAdapter(tuple[StepIn, ...])


async def play(scenario: Scenario, servers: Servers) -> list[dict[str, Any]]:
    steps = read_as(STEPS, block(scenario, "refund_gate"), "input.refund_gate")
    if not steps:
        raise Malformed("input.refund_gate: no step at all")
    if list(steps) != sorted(steps, key=lambda s: s.at):
        raise Malformed("input.refund_gate: steps are given in the order of time")
    order = OrderIn(order_no="GATE-0001", lines=(LineIn(id="L1", sku="GATED", qty=1, unit_price=LARGE),))
    async with servers.house() as house:
        life = await stocked(house, order)
        await life.pay()
        await hand_out(life)
        case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})
        shift, gate, found = Shift(steps[0].at, house.now()), Gate(case), []
        for step in steps:
            await house.pass_until(shift.to_house(step.at))
            result = await gate.step(step.op)
            if step.op == "refund":
                found.append({"at": step.at.isoformat(), "result": result})
        if len(house.systems.refunds) > 1:
            raise AssertionError(f"paid more than once: {house.systems.refunds}")
        return found


class Gate:
    """One case; a step that does not fit its state is refused by it and changes nothing."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._applied = False

    async def step(self, op: str) -> str:
        if not self._applied and op != "apply":
            return refund_gate(GateState()).value  # nobody has applied: there is no case to ask
        try:
            return await getattr(self, f"_{op}")() or ""
        except (StepRefused, DecisionNotTaken):
            return ""

    async def _apply(self) -> None:
        if not self._applied:
            self._applied = True
            await self.case.apply()

    async def _approve(self) -> None:
        if await self.case.status() is CaseStatus.SUPERVISOR_REVIEW:
            await self.case.decide()

    async def _buyer_ship(self) -> None:
        await self.case.enter_waybill()

    async def _receive(self) -> None:
        await self.case.receive()

    async def _inspect(self) -> None:
        await self.case.inspect()

    async def _refund(self) -> str:
        try:
            found = await self.case.ask_for_money()
        except StepRefused:  # the case is over
            paid = self.case.house.systems.refunds
            return GateResult.DUPLICATE.value if paid else GateResult.NOT_APPROVED.value
        if found != GateResult.FINANCE_REQUIRED.value:
            return found
        await self.case.decide()
        return GateResult.OK.value if self.case.house.systems.refunds else GateResult.FINANCE_REQUIRED.value
