"""`inspection`: each scan at the desk of a running case, what it leads to, and how many units are accepted (R54, R55).

The case is given its code by the system; the file's code stands for it. The case waits for finance at its end, so that
the desk can go on scanning.
"""

from typing import Annotated, Any

from pydantic import Field

from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import Servers
from bench.scenarios.environment.goods import hand_out
from bench.scenarios.environment.return_case import case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.returns.enums import Grade, ReturnType
from domain.returns.inspection import same_code
from domain.strict import Strict

LARGE = 20_000


class ScanIn(Strict):
    scanned: str
    grade: Grade


class InspectionIn(Strict):
    return_code: Annotated[str, Field(min_length=1)]
    scans: tuple[ScanIn, ...]
    expected_qty: Annotated[int, Field(ge=0, le=1_000)]


async def play(scenario: Scenario, servers: Servers) -> Any:
    given = read(InspectionIn, block(scenario, "inspection"), "input.inspection")
    if given.expected_qty == 0:
        results = ["QTY_EXCEEDED" if same_code(s.scanned, given.return_code) else "UNKNOWN_CODE" for s in given.scans]
        return ByRule({"results": results, "accepted": 0}, "a case of no unit at all")
    line = LineIn(id="L1", sku="INSPECTED", qty=given.expected_qty, unit_price=LARGE)
    async with servers.house() as house:
        life = await stocked(house, OrderIn(order_no="DESK-0001", lines=(line,)))
        await life.pay()
        await hand_out(life)
        case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": given.expected_qty})
        await case.apply()
        await case.decide()
        await case.enter_waybill()
        await case.receive()
        results = []
        for scan in given.scans:
            code = await case.code() if same_code(scan.scanned, given.return_code) else scan.scanned
            results.append((await case.scan(scan.grade, code)).result)
        return {"results": results, "accepted": (await case.view()).accepted_units}
