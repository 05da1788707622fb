"""`ledger`, `ledger_replacement`: what running cases do to the stock of one SKU, step by step (R49, R55, R56).

Each unit of the file is a case of its own: `approve_return` approves one, a grade sends one back and scans it,
and `close_return` lets one go unsent for seven days; `reserve` and `ship` are the replacement in an exchange of other
goods. What the file says was there before is written into the books beforehand, available goods are received.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.environment.goods import hand_out
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.scenarios.plain_yaml import Malformed
from domain.facts import Kind
from domain.policy import Policy
from domain.returns.enums import CaseStatus, Grade, ReturnType
from domain.returns.ledger import Balance, Op, WouldGoNegative, apply
from domain.strict import Strict

GRADES = {Op.GRADE_GOOD: Grade.GOOD, Op.GRADE_MINOR: Grade.MINOR, Op.GRADE_SCRAP: Grade.SCRAP}
MOST = 25
"""Units that are played; a file with more is answered by the rule."""
WEEK = timedelta(days=7, seconds=2)


class StepIn(Strict):
    op: Op
    qty: Annotated[int, Field(ge=1)]


class LedgerIn(Strict):
    sku: str = "LEDGER"
    start: Balance
    ops: tuple[StepIn, ...]


async def play(scenario: Scenario, servers: Servers) -> Any:
    return await _play(scenario, servers, "ledger")


async def play_replacement(scenario: Scenario, servers: Servers) -> Any:
    return await _play(scenario, servers, "ledger_replacement")


async def _play(scenario: Scenario, servers: Servers, name: str) -> Any:
    given = read(LedgerIn, block(scenario, name), f"input.{name}")
    ruled = _by_rule(given, name)
    if sum(step.qty for step in given.ops) > MOST or _reaches_back(given):
        return ByRule(ruled, f"more than {MOST} units, or units that were on their way before the file begins")
    async with servers.house(Policy(max_applications=100)) as house:
        yard = Yard(house, given)
        await yard.open()
        after = []
        for step in given.ops:
            for _ in range(step.qty):
                await yard.step(step.op)
            after.append(await yard.balance())
        return {"after_each": after, "final": after[-1] if after else await yard.balance()}


class Yard:
    """Cases about one SKU, each of one unit."""

    def __init__(self, house: ScenarioEnvironment, given: LedgerIn) -> None:
        self.house = house
        self.given = given
        self.sku = given.sku
        self._returned: ScenarioOrder | None = None
        self._swapped: ScenarioOrder | None = None
        self._approved: list[Case] = []
        self._exchanges: list[Case] = []
        self._start = given.start

    async def open(self) -> None:
        """Goods sold before, one line a unit, so that each is a case; then the balances of the file."""
        returned = _count(self.given.ops, Op.APPROVE_RETURN)
        swapped = _count(self.given.ops, Op.RESERVE)
        if returned:
            self._returned = await self._sold("YARD-0001", self.sku, returned)
        if swapped:
            self._swapped = await self._sold("YARD-0002", f"{self.sku}-OTHER", swapped)
        if self._start.available:
            await self.house.stock.receive(self.sku, "NONE", self._start.available, "what was there before")
        await self.house.pool.execute(
            "INSERT INTO stock (sku, warehouse) VALUES ($1, 'NONE') ON CONFLICT DO NOTHING", self.sku
        )
        await self.house.pool.execute(
            "UPDATE stock SET frozen = $2, second_hand = $3, scrapped = $4, reserved = $5 WHERE sku = $1",
            *(self.sku, self._start.frozen, self._start.second_hand, self._start.scrapped, self._start.reserved),
        )

    async def _sold(self, number: str, sku: str, qty: int) -> ScenarioOrder:
        life = await stocked(self.house, OrderIn(order_no=number, lines=(_line(sku, qty),)))
        await life.pay()
        await hand_out(life)
        return life

    async def step(self, op: Op) -> None:
        if op is Op.APPROVE_RETURN:
            assert self._returned is not None
            case = await case_of(self._returned, ReturnType.RETURN_REFUND, {"L1": 1})
            await case.apply()
            await case.decide()
            self._approved.append(case)
        elif op is Op.CLOSE_RETURN:
            await self._close()
        elif op is Op.RESERVE:
            await self._reserve()
        elif op is Op.SHIP:
            await self._ship()
        else:
            case = self._approved.pop(0)
            if await case.status() is CaseStatus.WAITING_RETURN:
                await case.enter_waybill()
            await case.receive()
            await case.scan(GRADES[op])

    async def _close(self) -> None:
        """Those that are not meant are handed over first: their goods are on the way, nothing moves in the books."""
        waiting = [c for c in self._approved if await c.status() is CaseStatus.WAITING_RETURN]
        meant = waiting[0]
        self._approved.remove(meant)
        for other in self._approved:
            if await other.status() is CaseStatus.WAITING_RETURN:
                await other.enter_waybill()
        await self.house.pass_until(self.house.now() + WEEK)

    async def _reserve(self) -> None:
        assert self._swapped is not None
        case = await case_of(self._swapped, ReturnType.EXCHANGE, {"L1": 1}, replacements={"L1": self.sku})
        await case.apply()
        await case.decide()
        await case.goods_come_back()
        self._exchanges.append(case)

    async def _ship(self) -> None:
        case = self._exchanges.pop(0)
        await case.check_outbound(passed=True)
        number = (await case.view()).replacement_no
        assert number is not None
        await case.life.happens(Kind.WAYBILL_RETURNED, int(number.rpartition("-")[2]))

    async def balance(self) -> dict[str, int]:
        (row,) = await self.house.stock.show(sku=self.sku)
        return {name: getattr(row, name) for name in Balance.model_fields}


def _line(sku: str, qty: int) -> LineIn:
    return LineIn(id="L1", sku=sku, qty=qty, unit_price=1_000)


def _count(steps: Sequence[StepIn], op: Op) -> int:
    return sum(step.qty for step in steps if step.op is op)


def _reaches_back(given: LedgerIn) -> bool:
    """Grades, closes or ships units that no step before has approved or reserved."""
    frozen = reserved = 0
    for step in given.ops:
        if step.op is Op.APPROVE_RETURN:
            frozen += step.qty
        elif step.op is Op.RESERVE:
            reserved += step.qty
        elif step.op is Op.SHIP:
            reserved -= step.qty
        else:
            frozen -= step.qty
        if min(frozen, reserved) < 0:
            return True
    return False


def _by_rule(given: LedgerIn, name: str) -> dict[str, Any]:
    balance, after = given.start, []
    for n, step in enumerate(given.ops):
        try:
            balance = apply(balance, step.op, step.qty)
        except WouldGoNegative as e:
            raise Malformed(f"input.{name}.ops[{n}]: {e}") from None
        after.append(balance.model_dump())
    return {"after_each": after, "final": balance.model_dump()}
