"""`refunds`, `refund_totals` of a payment that came after the order was closed: all of it back, by the system (R13).

Refunds of any other type are not built yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pydantic import AwareDatetime, TypeAdapter

from bench.scenarios.document import NotYet, Scenario, block, read, read_as
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.order import OrderIn, order_in, priced
from bench.scenarios.ordered import stock_in, stocked
from bench.scenarios.plain_yaml import Malformed
from domain.shares import UnableToTake, take
from domain.states import OrderStatus, RefundStatus
from domain.strict import Strict

TYPE = "late_payment_auto_refund"
OPEN = timedelta(minutes=30)
LATE = timedelta(seconds=40)
"""The moment of the late payment is the file's; that of closing is not in it. This much before, as in S02."""


class LatePaymentIn(Strict):
    channel_query: Literal["NOTPAY", "SUCCESS"]
    close_order_called: bool
    late_payment_at: AwareDatetime


class CaseIn(Strict):
    id: str
    type: Literal["late_payment_auto_refund"]
    lines: dict[str, int]
    approval_exempt: Literal[True] = True
    fault: str | None = None


CASES = TypeAdapter(tuple[CaseIn, ...])


@dataclass(frozen=True)
class GivenBack:
    """What the books say at the end: refunds in the shape of the block, and what remains of the payment."""

    refunds: list[dict[str, Any]]
    refunded: int
    remaining: int


async def play(scenario: Scenario, servers: Servers) -> list[dict[str, Any]]:
    return (await _given_back(scenario, servers)).refunds


async def play_totals(scenario: Scenario, servers: Servers) -> dict[str, int]:
    found = await _given_back(scenario, servers)
    return {"refunded": found.refunded, "remaining_paid": found.remaining}


async def _given_back(scenario: Scenario, servers: Servers) -> GivenBack:
    given = block(scenario, "cases")
    if not isinstance(given, list) or any(not isinstance(case, dict) or case.get("type") != TYPE for case in given):
        raise NotYet("refunds other than of late payments")
    cases = read_as(CASES, given, "input.cases")
    _check_late(read(LatePaymentIn, block(scenario, "late_payment"), "input.late_payment"))
    order = order_in(scenario)
    _check_case(cases, order)

    async def played() -> GivenBack:
        async with servers.house() as house:
            life = await stocked(house, order, stock_in(scenario), payment={"deadline": _deadline(house)})
            await _close_unpaid(house, life)
            await house.pass_until(house.now() + LATE)
            await life.pay()
            return await _books(house, life, cases[0])

    return await servers.share(scenario, "late payment", played)  # type: ignore[no-any-return]


def _deadline(house: ScenarioEnvironment) -> str:
    return (house.now() + OPEN).isoformat()


async def _close_unpaid(house: ScenarioEnvironment, life: ScenarioOrder) -> None:
    """At the deadline the channel is asked, told to close, and only then is the order closed."""
    await house.pass_until(life.placed.pay_deadline)
    asked = [a.step for a in house.systems.attempts if a.step in ("payment.query", "payment.close")]
    if asked != ["payment.query", "payment.close"] or await life.status() is not OrderStatus.CLOSED:
        raise AssertionError(f"unpaid at its deadline the order is {await life.status()}, the channel heard {asked}")


async def _books(house: ScenarioEnvironment, life: ScenarioOrder, case: CaseIn) -> GivenBack:
    detail = await life.detail()
    lines = {line["line_id"]: line for line in detail.lines}
    refunds = []
    for refund in detail.refunds:
        net, freight = _parts(refund["units"], lines)
        if refund["status"] != RefundStatus.SUCCEEDED or house.systems.refunds[refund["refund_no"]] != net + freight:
            raise AssertionError(f"{refund['refund_no']} is {refund['status']}, its units cost {net + freight}")
        refunds.append(
            {"case": case.id, "goods": net, "freight": freight, "total": refund["amount_minor"], "route": ["SYSTEM"]}
        )
    if detail.order.status != OrderStatus.CLOSED or detail.children:
        raise AssertionError(f"a late payment has reopened the order: it is {detail.order.status}")
    refunded = sum(refund["total"] for refund in refunds)
    return GivenBack(refunds, refunded, detail.order.paid_minor - refunded)


def _parts(units: Mapping[str, int], lines: Mapping[str, Mapping[str, Any]]) -> tuple[int, int]:
    """Goods and freight of whole lines: a late payment is never given back in part."""
    if any(lines[line_id]["qty"] != qty for line_id, qty in units.items()):
        raise AssertionError(f"only {dict(units)} of the order came back")
    return sum(lines[i]["net_minor"] for i in units), sum(lines[i]["freight_minor"] for i in units)


def _check_late(late: LatePaymentIn) -> None:
    if late.channel_query == "SUCCESS" or not late.close_order_called:
        raise Malformed("input.late_payment: the order was not closed, so no payment can be late")


def _check_case(cases: tuple[CaseIn, ...], order: OrderIn) -> None:
    """One case, of everything: the system gives a late payment back as a whole."""
    lines = {line.line_id: line for line in priced(order).lines}
    for case in cases:
        for line_id, count in case.lines.items():
            if line_id not in lines:
                raise Malformed(f"input.cases: {case.id}: the order has no line {line_id}")
            try:
                take(lines[line_id], 0, count)
            except UnableToTake as e:
                raise Malformed(f"input.cases: {case.id}: {e}") from None
    if len(cases) != 1 or cases[0].lines != {line_id: line.qty for line_id, line in lines.items()}:
        raise Malformed("input.cases: a late payment is given back once and as a whole: one case with every unit")
