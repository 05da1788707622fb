"""What `supply` has to say, by the step of a ticket: the types that workflows read an answer with.

fields = result_fields("wms", "push outbound")    # None: nothing can be supplied there by a form
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.customs import Declared
from activities.messages import Booked, InterceptOutcome, PaymentCreated, PaymentState, Pushed, RefundState
from domain.facts import Fact, Kind
from domain.strict import Strict, of
from providers.money_facts import payment_key, refund_key
from workflows.order.parcels.shortage import MadeGood, ShipElsewhere
from workflows.shipping.warehouse import Voided

RESULTS: Mapping[str, type[Strict]] = {
    "create payment": PaymentCreated,
    "query payment": PaymentState,
    "close payment": PaymentState,
    "refund": RefundState,
    "query refund": RefundState,
    "push outbound": Pushed,
    "push replacement": Pushed,
    "book waybill label": Booked,
    "label of replacement": Booked,
    "void label": Voided,
    "void label of replacement": Voided,
    "intercept": InterceptOutcome,
    "interception unanswered": InterceptOutcome,
    "declare": Declared,
    "short pick": MadeGood,
    "outbound rejected": ShipElsewhere,
    "supplier silent": ShipElsewhere,
}
"""By step. Every step of a workflow that takes a supplied result stands here; a test compares."""
ENDS: Mapping[str, Kind] = {
    "PAID": Kind.PAYMENT_SUCCEEDED, "SUCCEEDED": Kind.REFUND_SUCCEEDED, "ABNORMAL": Kind.REFUND_ABNORMAL,
}  # fmt: skip
"""Which states carry what happened as a fact, and of which kind."""
MACHINES = frozenset({"label_b64", "label_format", "child_no", "fact"})
"""What people do not say."""


@dataclass(frozen=True)
class ResultField:
    """One input. `choices`: the values of which one is taken. `needed`: without it the answer is refused."""

    name: str
    choices: tuple[str, ...] = ()
    needed: bool = True
    is_flag: bool = False


def result_fields(step: str) -> tuple[ResultField, ...] | None:
    """From the JSON schema of the step's result. None: no result is known for the step."""
    kind = RESULTS.get(step)
    if kind is None:
        return None
    schema = kind.model_json_schema()
    needed = set(schema.get("required", ()))
    return tuple(
        _field(name, shape, name in needed) for name, shape in schema["properties"].items() if name not in MACHINES
    )


def _field(name: str, shape: Mapping[str, Any], needed: bool) -> ResultField:
    if shape.get("type") == "boolean":
        return ResultField(name, ("true",) if "const" in shape else ("true", "false"), needed, is_flag=True)
    choices = shape.get("enum") or ([shape["const"]] if "const" in shape else [])
    return ResultField(name, tuple(map(str, choices)), needed)


def read_result(
    step: str, said: Mapping[str, str], *, channel: str, order_no: str, amount_minor: int | None, at: datetime | None
) -> dict[str, Any]:
    """The message's `result` out of what a person filled in. A state that money has come to carries what happened, as
    its channel would have told it. Raises `ValidationError`."""
    fields = result_fields(step) or ()
    told: dict[str, Any] = {
        f.name: said[f.name] == "true" if f.is_flag else said[f.name] for f in fields if said.get(f.name)
    }
    kind = ENDS.get(told.get("state", "")) if tells_of_money(step) else None
    if kind is not None:
        told["fact"] = _fact(kind, said, channel, order_no, amount_minor, at).model_dump(mode="json")
    return of(RESULTS[step], told).model_dump(mode="json", exclude_defaults=True)


def tells_of_money(step: str) -> bool:
    return RESULTS.get(step) in (PaymentState, RefundState)


def _fact(
    kind: Kind, said: Mapping[str, str], channel: str, order_no: str, amount_minor: int | None, at: datetime | None
) -> Fact:
    transaction, refund = said.get("transaction_id", ""), said.get("refund_no", "")
    key = payment_key(channel, transaction)
    if kind is not Kind.PAYMENT_SUCCEEDED:
        key = refund_key(channel, refund, "SUCCESS" if kind is Kind.REFUND_SUCCEEDED else "ABNORMAL")
    evidence = {
        "key": key, "kind": kind.value, "source": channel, "occurred_at": None if at is None else at.isoformat(),
        "order_no": order_no, "transaction_id": transaction or None, "merchant_id": said.get("merchant_id") or None,
        "amount_minor": amount_minor, "currency": said.get("currency") or None,
    }  # fmt: skip
    if kind is not Kind.PAYMENT_SUCCEEDED:
        evidence["refund_no"] = refund
    return of(Fact, evidence)
