"""Who has to agree to a case: the built-in matrix, equal to the table `rules/default/approval_route.json` (R44)."""

from typing import Self

from domain.policy import Policy
from domain.returns.enums import Level, ReturnType, Risk
from domain.strict import Strict


class RouteInput(Strict):
    """Context of the decision table. Amounts include freight."""

    amount_minor: int
    """What is compared: the case's total, or the order's sum with it when the cumulative switch is on."""
    small_max_minor: int
    type: ReturnType
    risk: Risk = Risk.LOW
    exempt: bool = False
    """Owed by the system itself (late payment, supplier's rejection): nobody has to agree, finance is told."""


class ApprovalRules(Strict):
    """From the policy."""

    small_max_minor: int = 10_000
    cumulative_by_order: bool = True

    @classmethod
    def of(cls, policy: Policy) -> Self:
        return cls(small_max_minor=policy.small_refund_max_minor, cumulative_by_order=policy.cumulative_refunds)


def stricter(one: ApprovalRules, other: ApprovalRules) -> ApprovalRules:
    """The lower limit, added up if either adds up."""
    return ApprovalRules(
        small_max_minor=min(one.small_max_minor, other.small_max_minor),
        cumulative_by_order=one.cumulative_by_order or other.cumulative_by_order,
    )


def compared(rules: ApprovalRules, amount_minor: int, prior_minor: int) -> int:
    """With the switch on, splitting a refund into small ones does not get around finance (S28, abuse case 62)."""
    return amount_minor + prior_minor if rules.cumulative_by_order else amount_minor


def route_input(
    rules: ApprovalRules,
    kind: ReturnType,
    amount_minor: int,
    *,
    prior_minor: int = 0,
    risk: Risk = Risk.LOW,
    exempt: bool = False,
) -> RouteInput:
    return RouteInput(
        amount_minor=compared(rules, amount_minor, prior_minor),
        small_max_minor=rules.small_max_minor,
        type=kind,
        risk=risk,
        exempt=exempt,
    )


def route(given: RouteInput) -> tuple[Level, ...]:
    """The levels in order: the supervisor on application, finance before payout (after inspection)."""
    if given.exempt:
        return (Level.SYSTEM,)
    if given.amount_minor <= given.small_max_minor:
        return (Level.CS_SUPERVISOR,)
    return (Level.CS_SUPERVISOR, Level.FINANCE)


def at_least(levels: tuple[Level, ...], given: RouteInput) -> tuple[Level, ...]:
    """What counts of a published table's answer: nobody is left out but where the system owes it, and above the small
    amount no role decides alone what it may ask for itself. What has not left is the shop's own to give up: of a
    cancellation the table says it all, and may ask nobody."""
    if given.type is ReturnType.CANCEL_UNSHIPPED and levels:
        return levels
    nobody = not levels or Level.SYSTEM in levels
    alone = len(levels) < len(STRICTEST) and given.amount_minor > given.small_max_minor
    return STRICTEST if not given.exempt and (nobody or alone) else levels


STRICTEST = (Level.CS_SUPERVISOR, Level.FINANCE)
"""What counts when a published table gives no usable answer: silence never approves."""
