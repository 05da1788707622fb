"""What a rule set would have done to past orders: each is planned anew from its stored inputs, and compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from domain.catalog.records import SkuRecord
from domain.fulfilment.explanation import Explanation, explain
from domain.fulfilment.planning import PlanInputs, plan
from domain.policy import Dimension
from domain.records import ChildPlan
from domain.rules.engine import RuleEngine
from domain.rules.question import Head, question_of
from domain.strict import Strict

MOST_TOLD = 500
"""Changed orders that are listed; the sums count all."""


@dataclass(frozen=True)
class PastOrder:
    """`inputs`: as stored with its plan, stock of then included. `priority`: of the policy that it keeps."""

    order_no: str
    inputs: PlanInputs
    head: Head
    catalogue: Mapping[str, SkuRecord]
    priority: tuple[Dimension, ...]


class Sum(Strict):
    """`unpriced`: parcels that no tariff of the rule set serves; they cost nothing here."""

    parcels: int = 0
    cost_minor: int = 0
    unpriced: int = 0


class ParcelView(Strict):
    warehouse: str
    lines: dict[str, int]
    reasons: tuple[str, ...]
    status: str
    carrier: str | None
    cost_minor: int | None


Difference = Literal["parcels", "carrier", "reasons"]
"""What travels together or from where; who carries it or what that costs; only why, or under which number."""


class OrderEffect(Strict):
    order_no: str
    difference: Difference
    before: tuple[ParcelView, ...]
    after: tuple[ParcelView, ...]


class Simulated(Strict):
    """`compared_with`: the version that counts now, applied to the same orders."""

    compared_with: int
    orders: int
    parcels_changed: int
    carrier_changed: int
    reasons_changed: int
    before: Sum
    after: Sum
    effects: tuple[OrderEffect, ...]

    @property
    def summary(self) -> dict[str, object]:
        """What is kept, and shown to whoever approves."""
        return self.model_dump(mode="json", exclude={"effects"})


class Simulation:
    """Takes orders one by one; `result` at any time."""

    def __init__(self, now: RuleEngine, draft: RuleEngine) -> None:
        self._now, self._draft = now, draft
        self._orders = 0
        self._sums = (Sum(), Sum())
        self._counts: dict[Difference, int] = {"parcels": 0, "carrier": 0, "reasons": 0}
        self._effects: list[OrderEffect] = []

    def take(self, order: PastOrder) -> None:
        """Raises `UnableToDecide`."""
        before, after = planned(order, self._now), planned(order, self._draft)
        self._orders += 1
        self._sums = (_add(self._sums[0], before), _add(self._sums[1], after))
        difference = _difference(before, after)
        if difference is not None:
            self._counts[difference] += 1
            if len(self._effects) < MOST_TOLD:
                views = tuple(map(_view, before)), tuple(map(_view, after))
                effect = OrderEffect(order_no=order.order_no, difference=difference, before=views[0], after=views[1])
                self._effects.append(effect)

    def result(self) -> Simulated:
        return Simulated(
            compared_with=self._now.version,
            orders=self._orders,
            parcels_changed=self._counts["parcels"],
            carrier_changed=self._counts["carrier"],
            reasons_changed=self._counts["reasons"],
            before=self._sums[0],
            after=self._sums[1],
            effects=tuple(self._effects),
        )


def planned(order: PastOrder, engine: RuleEngine) -> tuple[ChildPlan, ...]:
    """The children the order would have under a rule set. Raises `UnableToDecide`."""
    return plan(_inputs(order, engine)).children


def explained(order: PastOrder, engine: RuleEngine) -> Explanation:
    """The same with reasons and what was turned down, for one order. Raises `UnableToDecide`."""
    inputs = _inputs(order, engine)
    return explain(inputs, plan(inputs))


def _inputs(order: PastOrder, engine: RuleEngine) -> PlanInputs:
    inputs = order.inputs
    stock = {(balance.sku, balance.warehouse): balance.available for balance in inputs.stock}
    question = question_of(order.head, inputs.priced, order.catalogue, inputs.candidates, stock, order.priority)
    return inputs.model_copy(update={"decision": engine.decide(question)})


def _difference(before: Iterable[ChildPlan], after: Iterable[ChildPlan]) -> Difference | None:
    one, other = list(before), list(after)
    if sorted(map(_travels, one)) != sorted(map(_travels, other)):
        return "parcels"
    if sorted(map(_costs, one)) != sorted(map(_costs, other)):
        return "carrier"
    if [(c.child_no, c.reasons, c.lines) for c in one] != [(c.child_no, c.reasons, c.lines) for c in other]:
        return "reasons"
    return None


def _travels(child: ChildPlan) -> tuple[object, ...]:
    return (child.warehouse, child.status, tuple(sorted(child.lines.items())))


def _costs(child: ChildPlan) -> tuple[object, ...]:
    return (*_travels(child), child.carrier or "", child.shipping_cost_minor or 0)


def _add(so_far: Sum, children: Iterable[ChildPlan]) -> Sum:
    costs = [child.shipping_cost_minor for child in children]
    return Sum(
        parcels=so_far.parcels + len(costs),
        cost_minor=so_far.cost_minor + sum(cost or 0 for cost in costs),
        unpriced=so_far.unpriced + sum(cost is None for cost in costs),
    )


def _view(child: ChildPlan) -> ParcelView:
    return ParcelView(
        warehouse=child.warehouse,
        lines=child.lines,
        reasons=tuple(f"{reason.dim}={reason.value}" for reason in child.reasons),
        status=child.status,
        carrier=child.carrier,
        cost_minor=child.shipping_cost_minor,
    )
