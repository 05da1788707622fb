"""`exchange_gate`: when the label of a replacement may print, asked of a running exchange (R56)."""

from typing import Literal

from pydantic import TypeAdapter

from bench.scenarios.document import Scenario, block, read_as
from bench.scenarios.environment import Servers
from bench.scenarios.environment.goods import hand_out
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.scenarios.plain_yaml import Malformed
from domain.returns.enums import ReturnType
from domain.strict import Strict
from starter.clients.return_errors import StepRefused


class StepIn(Strict):
    op: Literal["approve", "try_print_label", "receive", "inspect_returned", "qc_outbound_fail", "qc_outbound_pass"]


STEPS = TypeAdapter(tuple[StepIn, ...])


async def play(scenario: Scenario, servers: Servers) -> list[str]:
    steps = read_as(STEPS, block(scenario, "exchange_gate"), "input.exchange_gate")
    order = OrderIn(order_no="SWAP-0001", lines=(LineIn(id="L1", sku="SWAPPED", qty=1, unit_price=5_000),))
    async with servers.house() as house:
        life = await stocked(house, order)
        await life.pay()
        await hand_out(life)
        await house.receive("SWAPPED-FOR", (await life.detail()).lines[0]["warehouse"], 1)
        case = await case_of(life, ReturnType.EXCHANGE, {"L1": 1}, replacements={"L1": "SWAPPED-FOR"})
        await case.apply()
        found = []
        for n, step in enumerate(steps):
            try:
                result = await _step(case, step.op)
            except StepRefused as refused:
                raise Malformed(f"input.exchange_gate[{n}]: {step.op} is refused: {refused.reason}") from None
            if result:
                found.append(result)
        return found


async def _step(case: Case, op: str) -> str:
    if op == "try_print_label":
        return await case.print_label()
    if op == "approve":
        await case.decide()
    elif op == "receive":
        await case.receive()
    elif op == "inspect_returned":
        await case.inspect()
    else:
        await case.check_outbound(passed=op == "qc_outbound_pass")
    return ""
