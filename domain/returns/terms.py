"""What an order was promised about sending goods back: by its own policy and its own tables, whatever counts today."""

from collections.abc import Iterable, Mapping
from typing import Any

from domain.order import Id
from domain.policy import FreightBack
from domain.returns.admission import AdmissionRules
from domain.returns.enums import REASONS
from domain.returns.models import ApplyReturn
from domain.rules.engine import RuleEngine
from domain.strict import Strict


class GoodsTerms(Strict):
    """What the table `return_policy` looks at of a line of the order."""

    line_id: Id
    sku: str
    supplier: str
    logistics: str
    customs: str
    line_amount_minor: int


def promised(
    rules: AdmissionRules,
    engine: RuleEngine | None,
    application: ApplyReturn,
    channel: str,
    lines: Iterable[GoodsTerms],
) -> AdmissionRules:
    """`rules`: of the order's policy; `engine`: of the tables that it keeps, None when it has none. Where no row fits,
    the policy counts. Raises `domain.rules.sets.UnableToDecide`."""
    if engine is None:
        return rules
    case = _case(application, channel)
    named = [line for line in lines if line.line_id in application.lines]
    asked = [{**case, **line.model_dump(exclude={"line_id"})} for line in named]
    days = zip(named, engine.answers("return_policy", "days", asked), strict=True)
    (freight,) = engine.answers("freight_back", "freight", [case])
    return rules.model_copy(
        update={
            "days": {line.line_id: answer[0] for line, answer in days if answer is not None},
            "freight_back": rules.freight_back if freight is None else freight_of(freight[0]),
        }
    )


def freight_of(answer: str) -> FreightBack:
    """As the table's check has let it through; of anything else nothing goes back unseen: the policy's default."""
    return answer if answer in ("proportional", "none", "none_if_buyer_fault") else "proportional"  # type: ignore[return-value]


def _case(application: ApplyReturn, channel: str) -> Mapping[str, Any]:
    return {
        "channel": channel,
        "type": application.type.value,
        "reason": application.reason.value,
        "quality": REASONS[application.reason].quality,
        "fault": application.fault.value,
    }
