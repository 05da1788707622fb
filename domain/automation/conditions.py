"""Conditions of automations: the same small language as the cells of rule tables, over an order and what happened."""

from collections.abc import Mapping
from typing import Any, Literal

from zen import evaluate_expression

from domain.automation.model import Automation, AutomationBook, Trigger
from domain.rules.cells import BadCell, names
from domain.rules.engine import compiles

Kind = Literal["text", "whole"]
OF_ORDER: Mapping[str, Kind] = {
    "channel": "text", "kind": "text", "currency": "text", "amount_minor": "whole", "order_lines": "whole",
    "order_qty": "whole", "order_weight_g": "whole", "country": "text", "province": "text", "city": "text",
    "district": "text",
}  # fmt: skip
"""As rule tables name them. All of it is as the order was placed: it comes out the same whenever it is looked at."""
OF_WHAT: Mapping[Trigger, Mapping[str, Kind]] = {
    Trigger.CHILD_WAITS: {"warehouse": "text"},
    Trigger.SILENT: {"warehouse": "text", "carrier": "text"},
    Trigger.RETURN: {"return_type": "text", "return_reason": "text", "fault": "text"},
    Trigger.TICKET: {"system": "text", "step": "text"},
    Trigger.STOCK: {"warehouse": "text"},
    Trigger.MESSAGE: {"message": "text"},
}
"""What else a condition may read, by trigger."""
_SAMPLE: Mapping[Kind, Any] = {"text": "a", "whole": 1}


class UnableToJudge(Exception):
    """The condition has no answer for this order."""


def fields_of(trigger: Trigger) -> Mapping[str, Kind]:
    return {**OF_ORDER, **OF_WHAT.get(trigger, {})}


def fault_of(one: Automation) -> str:
    """Why its condition may not be kept; '' when it may."""
    if not one.condition.strip():
        return ""
    fields = fields_of(one.on.trigger)
    try:
        names(one.condition, frozenset(fields))
        compiles(one.condition, whole=True)
        answer = evaluate_expression(one.condition, {name: _SAMPLE[kind] for name, kind in fields.items()})
    except BadCell as error:
        return f"{one.id}: the condition {error.args[0]}; {error.args[1]}"
    except RuntimeError as error:
        return f"{one.id}: the condition cannot be read ({str(error).splitlines()[0][:120]})"
    if not isinstance(answer, bool):
        return f"{one.id}: the condition is neither true nor false; write a comparison, such as amount_minor > 50000"
    return ""


def faults_of(book: AutomationBook) -> tuple[str, ...]:
    return tuple(fault for one in book.automations if (fault := fault_of(one)))


def holds(one: Automation, facts: Mapping[str, Any]) -> bool:
    """Pure. Raises `UnableToJudge`."""
    if not one.condition.strip():
        return True
    try:
        answer = evaluate_expression(one.condition, {name: facts[name] for name in fields_of(one.on.trigger)})
    except (RuntimeError, KeyError) as error:
        raise UnableToJudge(f"{one.id}: {str(error)[:150]}") from None
    if not isinstance(answer, bool):
        raise UnableToJudge(f"{one.id}: neither true nor false")
    return answer


def read_of(one: Automation, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the condition has looked at."""
    if not one.condition.strip():
        return {}
    return {name: facts[name] for name in sorted(names(one.condition, frozenset(fields_of(one.on.trigger))))}
