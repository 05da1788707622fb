"""`refunds`, `refund_totals` of a payment that came after the order was closed: all of it back, by the system (R13).

Refunds of any other type are not built yet.
"""

from typing import Any, Literal

from pydantic import AwareDatetime, TypeAdapter

from bench.scenarios.document import NotYet, Scenario, block, read, read_as
from bench.scenarios.order import order_in, priced
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.town import Town
from domain.records import Priced
from domain.shares import UnableToTake, take
from domain.strict import Strict

TYPE = "late_payment_auto_refund"


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


async def play(scenario: Scenario, _: Town) -> list[dict[str, Any]]:
    return _refunds(scenario)[1]


async def play_totals(scenario: Scenario, _: Town) -> dict[str, int]:
    price, refunds = _refunds(scenario)
    refunded = sum(refund["total"] for refund in refunds)
    return {"refunded": refunded, "remaining_paid": price.payable_minor - refunded}


def _refunds(scenario: Scenario) -> tuple[Priced, list[dict[str, Any]]]:
    given = block(scenario, "cases")
    if not isinstance(given, list) or any(not isinstance(case, dict) or case.get("type") != TYPE for case in given):
        raise NotYet("refunds other than of late payments")
    cases = read_as(CASES, given, "input.cases")
    _check_late(read(LatePaymentIn, block(scenario, "late_payment"), "input.late_payment"))
    price = priced(order_in(scenario))
    first_unit = dict.fromkeys((line.line_id for line in price.lines), 0)
    return price, [_refund(case, price, first_unit) for case in cases]


def _check_late(late: LatePaymentIn) -> None:
    if late.channel_query == "SUCCESS" or not late.close_order_called:
        raise Malformed("input.late_payment: the order was not closed, so no payment can be late")


def _refund(case: CaseIn, price: Priced, first_unit: dict[str, int]) -> dict[str, Any]:
    lines = {line.line_id: line for line in price.lines}
    goods = freight = 0
    for line_id, count in case.lines.items():
        if line_id not in lines:
            raise Malformed(f"input.cases: {case.id}: the order has no line {line_id}")
        try:
            share = take(lines[line_id], first_unit[line_id], count)
        except UnableToTake as e:
            raise Malformed(f"input.cases: {case.id}: {e}") from None
        first_unit[line_id] += count
        goods, freight = goods + share.net_minor, freight + share.freight_minor
    return {"case": case.id, "goods": goods, "freight": freight, "total": goods + freight, "route": ["SYSTEM"]}
