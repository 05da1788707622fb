"""Why an order was split as it was: reasons with their rules, what was rejected, what would have avoided it (R34)."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from domain.fulfilment.alternatives import Rejected, rejected
from domain.fulfilment.planning import AvailableStock, PlanInputs, Planned, plan
from domain.fulfilment.what_if import Change, Nearest, nearest
from domain.records import ChildPlan
from domain.rules.decision import LineDecision, RuleDecision
from domain.strict import Strict

STOCK_RULE = "stock/in_stock_first"
"""What is there ships now (R22): a rule of the product, not of a table."""
SEPARATES = frozenset({"warehouse", "customs", "supplier", "logistics"})
MOST_LINES, MOST_CHILDREN = 60, 12
"""Above this an order is explained by its reasons only; its inputs are kept all the same."""


class Because(Strict):
    """One reason of a child, and its rule. `version`: of the rule set, or where there is none of the policy."""

    dim: str
    value: str
    rule_id: str
    version: int
    version_of: Literal["rules", "policy"]


class ChildExplanation(Strict):
    child_no: str
    warehouse: str
    carrier: str | None = None
    shipping_cost_minor: int | None = None
    reasons: tuple[Because, ...]
    rejected: tuple[Rejected, ...] = ()
    joins: str | None = None
    """The child that it would have travelled with after `nearest`."""
    nearest: tuple[Change, ...] = ()
    """The smallest change of the order, its goods or the stock that would have made one child less."""


class Explanation(Strict):
    """`plan`: the children as planned; `inputs`: all that the plan depends on. `complete` False: a large order."""

    order_no: str
    children: tuple[ChildExplanation, ...]
    exact: bool = True
    """No other sourcing is better. False for large orders, whose search is bounded."""
    complete: bool = True
    inputs: PlanInputs
    plan: tuple[ChildPlan, ...] = Field(default=())


def explain(inputs: PlanInputs, planned: Planned) -> Explanation:
    """The explanation of a plan. Pure: the same inputs are explained in the same way."""
    by_line = {line.line_id: line for line in inputs.decision.lines}
    small = len(inputs.priced.lines) <= MOST_LINES and len(planned.children) <= MOST_CHILDREN
    turned_down = rejected(inputs, planned) if small else {}
    changes = nearest(inputs, planned.children) if small else {}
    return Explanation(
        order_no=inputs.order_no,
        children=tuple(
            ChildExplanation(
                child_no=child.child_no,
                warehouse=child.warehouse,
                carrier=child.carrier,
                shipping_cost_minor=child.shipping_cost_minor,
                reasons=_because(child, inputs, by_line),
                rejected=turned_down.get(child.child_no, ()),
                joins=changes[child.child_no].joins if child.child_no in changes else None,
                nearest=changes[child.child_no].changes if child.child_no in changes else (),
            )
            for child in planned.children
        ),
        exact=planned.sourced is None or planned.sourced.exact,
        complete=small,
        inputs=inputs,
        plan=planned.children,
    )


def as_of_now(explanation: Explanation, stock: Iterable[AvailableStock]) -> Explanation:
    """The same split, with what would make one child less now that this much lies there. `joins` without changes:
    planned now, the two would travel together. A large order stays as it was explained."""
    if not explanation.complete:
        return explanation
    inputs = explanation.inputs.model_copy(update={"stock": tuple(stock)})
    found = nearest(inputs, explanation.plan, planned_earlier=True)
    nothing = Nearest(joins="", changes=())
    children = tuple(
        child.model_copy(update={"joins": now.joins or None, "nearest": now.changes})
        for child in explanation.children
        for now in (found.get(child.child_no, nothing),)
    )
    return explanation.model_copy(update={"children": children})


def replay(explanation: Explanation) -> tuple[ChildPlan, ...]:
    """The plan made again from its stored inputs. Equal to `explanation.plan` as long as the rules of splitting are."""
    return plan(explanation.inputs).children


def _because(child: ChildPlan, inputs: PlanInputs, by_line: Mapping[str, LineDecision]) -> tuple[Because, ...]:
    decision = inputs.decision
    lines = [by_line[line_id] for line_id in child.lines if line_id in by_line]
    ruled = decision.version is not None
    version = decision.version if decision.version is not None else inputs.policy_version
    return tuple(
        Because(
            dim=reason.dim,
            value=reason.value,
            rule_id=_rule(reason.dim, lines, decision),
            version=version,
            version_of="rules" if ruled else "policy",
        )
        for reason in child.reasons
    )


def _rule(dim: str, lines: list[LineDecision], decision: RuleDecision) -> str:
    if dim == "stock":
        return STOCK_RULE
    if dim in SEPARATES:
        return decision.priority_rule
    if dim == "custom":
        # A child that no condition names was set apart by those that were.
        named = [line.group_rule for line in (*lines, *decision.lines) if line.group_rule]
        return named[0] if named else decision.priority_rule
    found = [s.rule_id for line in (*lines, *decision.lines) for s in line.separations if s.kind == dim]
    return found[0] if found else decision.priority_rule
