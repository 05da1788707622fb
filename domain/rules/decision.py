"""What a rule set is asked about an order, and what it answers: the contract between rules and splitting."""

from collections.abc import Callable, Iterable
from typing import Annotated, TypeAlias

from pydantic import Field

from domain.fulfilment.tariffs import CarrierCode, Grams, Tariff
from domain.order import Minor, Qty
from domain.policy import Dimension
from domain.rules.sets import RuleSet
from domain.strict import Strict

Count = Annotated[int, Field(ge=0)]

NO_RULE = "policy"
"""Stands where no row of a rule set decided."""


class OrderFacts(Strict):
    """The columns that every table may read."""

    channel: str
    kind: str
    currency: str
    amount_minor: Minor
    """What the order costs."""
    order_lines: Count
    order_qty: Count
    order_weight_g: Grams
    country: str
    province: str
    city: str
    district: str
    policy_priority: tuple[Dimension, ...]
    """The split order of the policy that the order keeps."""


class LineFacts(Strict):
    """The columns that tables about lines may read besides those of the order."""

    line_id: str
    sku: str
    qty: Qty
    stock: Count
    """Units that the line can have now at `ship_from`."""
    line_amount_minor: Minor
    """The line's net."""
    ship_from: str
    """The warehouse of the line's tags."""
    warehouses: tuple[str, ...]
    """All warehouses the goods may leave, in order of preference."""
    supplier: str
    logistics: str
    customs: str
    cross_border: bool
    battery: bool
    hazard: bool
    """Declared dangerous goods."""
    weight_g: Grams
    """Of one unit."""


class RuleQuestion(Strict):
    """An order as rules see it: nothing personal, no clock. The same question always gets the same answer."""

    order: OrderFacts
    lines: tuple[LineFacts, ...]


class Separation(Strict):
    """Lines of one order that differ in the value of a kind never share a parcel; a line without it has none ("")."""

    kind: str
    value: str
    rule_id: str


class LineDecision(Strict):
    line_id: str
    group: str | None = None
    """Lines of one group go into children of their own, before any dimension divides (R27). None: no condition fits."""
    group_rule: str | None = None
    separations: tuple[Separation, ...] = ()
    """Hard: customs modes, temperatures, dangerous goods, whatever the table says."""
    warehouses: tuple[str, ...] = ()
    """Preferred warehouses, best first; empty: as the catalogue prefers."""
    warehouses_rule: str | None = None
    carriers: tuple[CarrierCode, ...] | None = None
    """Carriers allowed for the line, in order of preference; None: all. A parcel may use what all its lines allow."""
    carriers_rule: str | None = None

    def lane(self) -> tuple[tuple[str, str], ...]:
        """Two lines may share a parcel only if their lanes are equal."""
        return tuple(sorted({(s.kind, s.value) for s in self.separations}))


class RuleDecision(Strict):
    version: int | None
    """Of the rule set; None when the order was taken in before there were rule sets."""
    split_priority: tuple[Dimension, ...]
    priority_rule: str
    lines: tuple[LineDecision, ...]
    """One for each line of the question, in its order."""
    tariffs: tuple[Tariff, ...] = ()
    """The rows that serve the order's address."""


Decide: TypeAlias = Callable[[RuleSet, RuleQuestion], RuleDecision]
"""Evaluates a rule set. Pure; raises `domain.rules.sets.UnableToDecide` when a table cannot answer."""


def without_rules(priority: tuple[Dimension, ...], line_ids: Iterable[str]) -> RuleDecision:
    """The decision for an order that has no rule set: the policy's split order and nothing else."""
    lines = tuple(LineDecision(line_id=line_id) for line_id in line_ids)
    return RuleDecision(version=None, split_priority=priority, priority_rule=NO_RULE, lines=lines)
