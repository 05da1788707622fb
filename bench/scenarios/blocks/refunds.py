"""`refunds`, `refunds_alt`, `refund_totals`: after-sales cases of one order, one after another, through running
workflows (R44-R48): applied for, decided by as many people as the matrix wants, sent back, inspected, paid.

`route` is who has really decided. Late payments are a play of their own (`late_payment.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from bench.scenarios.blocks import late_payment
from bench.scenarios.document import ByRule, Scenario, block, read, read_as
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.environment.goods import hand_out
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.order import OrderIn, order_in, priced
from bench.scenarios.ordered import stock_in, stocked
from bench.scenarios.plain_yaml import Malformed
from domain.order import Qty
from domain.policy import FreightBack, Policy
from domain.returns.approval_route import ApprovalRules, route, route_input
from domain.returns.enums import CaseStatus, Fault, Level, ReturnType
from domain.returns.refunding import quote_for
from domain.shares import freeze
from domain.strict import Strict
from domain.units import UnitRange
from starter.clients.return_errors import ReturnRefused

FREIGHT: TypeAdapter[FreightBack] = TypeAdapter(FreightBack)
EXEMPT = "owed by the system itself: no application asks for it"
PATIENT = 100
"""Cases an item may have in a play: the format's files know no limit."""


class CaseIn(Strict):
    id: str
    type: ReturnType
    lines: dict[str, Qty]
    fault: Fault = Fault.NONE
    approval_exempt: bool = False
    freight_policy: FreightBack | None = None


class ApprovalIn(Strict):
    small_max: int = 10_000
    cumulative_by_order: bool = False


CASES = TypeAdapter(tuple[CaseIn, ...])


@dataclass(frozen=True)
class Paid:
    """What the books say when all cases are over."""

    refunds: list[dict[str, Any]]
    refunded: int
    remaining: int
    by_rule: bool = False


async def play(scenario: Scenario, servers: Servers) -> Any:
    return await _of(scenario, servers, "approval", lambda found: found.refunds, late_payment.play)


async def play_alt(scenario: Scenario, servers: Servers) -> Any:
    return await _of(scenario, servers, "approval_alt", lambda found: found.refunds, late_payment.play)


async def play_totals(scenario: Scenario, servers: Servers) -> Any:
    def totals(found: Paid) -> dict[str, int]:
        return {"refunded": found.refunded, "remaining_paid": found.remaining}

    return await _of(scenario, servers, "approval", totals, late_payment.play_totals)


async def _of(scenario: Scenario, servers: Servers, approval: str, shown: Any, late: Any) -> Any:
    given = block(scenario, "cases")
    if isinstance(given, list) and any(isinstance(c, dict) and c.get("type") == late_payment.TYPE for c in given):
        return await late(scenario, servers)
    cases = read_as(CASES, given, "input.cases")
    rules = read(ApprovalIn, scenario.given.get(approval, {}), f"input.{approval}")
    _check(cases, order_in(scenario))
    if any(case.approval_exempt for case in cases):
        return ByRule(shown(_by_rule(scenario, cases, rules)), EXEMPT)

    async def played() -> Paid:
        return await _play(scenario, servers, cases, rules)

    return shown(await servers.share(scenario, f"refunds by {rules}", played))


async def _play(scenario: Scenario, servers: Servers, cases: Sequence[CaseIn], rules: ApprovalIn) -> Paid:
    policy = Policy(
        small_refund_max_minor=rules.small_max, cumulative_refunds=rules.cumulative_by_order,
        freight_back=_freight(scenario, cases), max_applications=PATIENT,
    )  # fmt: skip
    async with servers.house(policy) as house:
        life = await stocked(house, order_in(scenario), stock_in(scenario))
        await life.pay()
        refunds = [await _one(house, life, case, cases[n + 1 :]) for n, case in enumerate(cases)]
        detail = await life.detail()
        refunded = detail.order.refunded_minor
        if refunded != sum(house.systems.refunds.values()):
            raise AssertionError(f"the books say {refunded} went back, the channel {house.systems.refunds}")
        return Paid(refunds, refunded, detail.order.paid_minor - refunded)


async def _one(
    house: ScenarioEnvironment, life: ScenarioOrder, given: CaseIn, later: Sequence[CaseIn]
) -> dict[str, Any]:
    kept = {line for case in later if case.type is ReturnType.CANCEL_UNSHIPPED for line in case.lines}
    if given.type is not ReturnType.CANCEL_UNSHIPPED:
        await hand_out(life, without=kept)
    case = await case_of(life, given.type, dict(given.lines), images=_images(given.type), fault=given.fault)
    try:
        answer = await case.apply()
    except ReturnRefused as refused:
        raise AssertionError(f"{given.id} is refused: {', '.join(refused.codes)}") from None
    await _to_its_end(case, life, kept)
    shown = await case.shown()
    quote = shown.quote
    if shown.status not in (CaseStatus.REFUNDED, CaseStatus.EXCHANGED, CaseStatus.REPLACEMENT_QC):
        raise AssertionError(f"{given.id} ends as {shown.status}: {shown.waiting_for}")
    if shown.status is CaseStatus.REFUNDED and shown.refunded_minor != answer.quote.total_minor:
        raise AssertionError(f"{given.id} paid {shown.refunded_minor} of {answer.quote.total_minor}")
    return {
        "case": given.id, "goods": quote.goods_minor, "freight": quote.freight_minor, "total": quote.total_minor,
        "route": [level.value for level in await _route(case)],
    }  # fmt: skip


async def _to_its_end(case: Case, life: ScenarioOrder, kept: set[str]) -> None:
    """Everybody agrees; what could not be stopped leaves the warehouse before it comes back."""
    await case.plain_life(before_return=lambda: hand_out(life, without=kept - set(case.application.lines)))


async def _route(case: Case) -> list[Level]:
    """Who has agreed, in turn."""
    decided = await case.house.office.approvals.list(state="approved", subject=case.return_no)
    return [Level(a.request.role.value) for a in sorted(decided, key=lambda a: a.opened_at)]


def _images(kind: ReturnType) -> int:
    return 0 if kind is ReturnType.CANCEL_UNSHIPPED else 1


def _freight(scenario: Scenario, cases: Sequence[CaseIn]) -> FreightBack:
    """One switch for the whole environment; cases may repeat it."""
    top = read_as(FREIGHT, scenario.given.get("freight_policy", "proportional"), "input.freight_policy")
    named = {case.freight_policy for case in cases if case.freight_policy is not None} or {top}
    if len(named) > 1:
        raise Malformed("input.cases: freight_policy is one setting of the shop, the cases name several")
    return named.pop()


def _check(cases: Sequence[CaseIn], order: OrderIn) -> None:
    """More units than the order has are a fault of the file."""
    left = {line.id: line.qty for line in order.lines}
    priced(order)
    for case in cases:
        if not case.lines:
            raise Malformed(f"input.cases: {case.id} names no line")
        for line_id, count in case.lines.items():
            if left.get(line_id, 0) < count:
                raise Malformed(f"input.cases: {case.id}: line {line_id} has not so many units left")
            left[line_id] -= 0 if case.type in (ReturnType.EXCHANGE, ReturnType.WARRANTY_REPLACEMENT) else count


def _by_rule(scenario: Scenario, cases: Sequence[CaseIn], rules: ApprovalIn) -> Paid:
    order = order_in(scenario)
    lines = {line.line_id: line for line in priced(order).lines}
    shares = [share for line in lines.values() for share in freeze(line)]
    taken: dict[str, int] = {}
    refunds, refunded = [], 0
    limits = ApprovalRules(small_max_minor=rules.small_max, cumulative_by_order=rules.cumulative_by_order)
    for case in cases:
        units = tuple(
            UnitRange(line_id=line_id, first_unit=taken.get(line_id, 0), units=n) for line_id, n in case.lines.items()
        )
        taken |= {r.line_id: r.end for r in units}
        quote = quote_for(case.type, shares, units, fault=case.fault, freight_policy=_freight(scenario, cases))
        asked = route_input(limits, case.type, quote.total_minor, prior_minor=refunded, exempt=case.approval_exempt)
        refunded += quote.total_minor
        refunds.append(
            {
                "case": case.id, "goods": quote.goods_minor, "freight": quote.freight_minor,
                "total": quote.total_minor, "route": [level.value for level in route(asked)],
            }
        )  # fmt: skip
    return Paid(refunds, refunded, sum(line.paid_minor for line in lines.values()) - refunded, by_rule=True)
