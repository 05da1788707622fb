"""Lives of orders as an object-centric event log: OCEL 2.0 in JSON (ocel-standard.org), as process mining reads it.

log = OcelLog()
text = log.begin() + "".join(log.add(life) for life in lives) + log.end()   # the same lives are the same text

Objects are orders, children, packages, payments, refunds and returns; every event names those that it is about and
in what part. Nothing in it names a person. Values are texts, as the standard's schema for JSON has them; what they are
stands with their type.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.facts import Kind
from domain.insight.lives import LoggedChild, LoggedFact, LoggedPackage, OrderLife

Json = dict[str, Any]
Attributes = Mapping[str, str]

STRING, INTEGER, TIME = "string", "integer", "time"
OBJECT_TYPES: Mapping[str, Attributes] = {
    "order": {"channel": STRING, "kind": STRING, "currency": STRING, "payable_minor": INTEGER, "status": STRING},
    "child": {"type": STRING, "warehouse": STRING, "carrier": STRING, "paid_minor": INTEGER, "status": STRING},
    "package": {"carrier": STRING},
    "payment": {"channel": STRING, "amount_minor": INTEGER},
    "refund": {"amount_minor": INTEGER, "status": STRING},
    "return": {"type": STRING, "reason": STRING, "fault": STRING, "status": STRING},
}
PLACED, PAID = "order placed", "order paid"
REFUND_REQUESTED, REFUND_SUCCEEDED = "refund requested", "refund succeeded"
OWN: Mapping[str, Attributes] = {PLACED: {}, PAID: {}, REFUND_REQUESTED: {}, REFUND_SUCCEEDED: {}}
FACT: Attributes = {"source": STRING, "recorded_at": TIME, "from_status": STRING, "to_status": STRING}
STEP: Attributes = {"role": STRING, "to_status": STRING}
TOLD_OTHERWISE = frozenset({Kind.PAYMENT_SUCCEEDED, Kind.REFUND_SUCCEEDED})
"""Facts that payments and refunds tell as their own events."""
ROAD = frozenset(
    {
        Kind.WAYBILL_RETURNED, Kind.COLLECTED, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.SIGNED,
        Kind.COURIER_EXCEPTION, Kind.DELIVERY_REFUSED, Kind.RETURNED_TO_SENDER,
    }
)  # fmt: skip
"""Facts about packages rather than about what is in them."""


class OcelLog:
    """Written piece by piece: events come first, objects are kept until the end."""

    def __init__(self) -> None:
        self._objects: dict[str, str] = {}
        self._event_types: dict[str, Attributes] = dict(OWN)
        self.events = 0

    @property
    def objects(self) -> int:
        return len(self._objects)

    def begin(self) -> str:
        return '{"events": ['

    def add(self, life: OrderLife) -> str:
        """Its events, by time; an order is added once."""
        for made in _objects(life):
            # A package may carry children of several orders.
            self._objects.setdefault(made["id"], _text(made))
        found = sorted(_events(life), key=lambda event: (event["time"], event["id"]))
        for event in found:
            if event["type"] not in self._event_types:
                self._event_types[event["type"]] = STEP if event["id"].startswith("step:") else FACT
        comma = "," if self.events and found else ""
        self.events += len(found)
        return comma + ",".join(f"\n{_text(event)}" for event in found)

    def end(self) -> str:
        objects = ",".join(f"\n{text}" for text in self._objects.values())
        types = {"eventTypes": _types(dict(sorted(self._event_types.items()))), "objectTypes": _types(OBJECT_TYPES)}
        return f'\n], "objects": [{objects}\n], {_text(types)[1:]}\n'


def _types(named: Mapping[str, Attributes]) -> list[Json]:
    return [
        {"name": name, "attributes": [{"name": n, "type": kind} for n, kind in attributes.items()]}
        for name, attributes in named.items()
    ]


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _objects(life: OrderLife) -> Iterator[Json]:
    since = life.placed_at
    order = _object("order", life.order_no, since, channel=life.channel, kind=life.kind, currency=life.currency,
                    payable_minor=life.payable_minor)  # fmt: skip
    order["attributes"] += _statuses((f.at, f.to_status) for f in life.facts if f.child_no is None)
    order["relationships"] = [_to("child", child.child_no, "has") for child in life.children]
    yield order
    for child in life.children:
        yield from _child_objects(life, child)
    for n, payment in enumerate(life.payments, 1):
        made = _object("payment", f"{life.order_no}/{n}", payment.paid_at, channel=payment.channel,
                       amount_minor=payment.amount_minor)  # fmt: skip
        yield made | {"relationships": [_to("order", life.order_no, "pays")]}
    for refund in life.refunds:
        made = _object("refund", refund.refund_no, refund.requested_at, amount_minor=refund.amount_minor)
        made["attributes"] += _statuses([(refund.requested_at, "REQUESTED"), (refund.succeeded_at, "SUCCEEDED")])
        yield made | {"relationships": [
            _to("order", life.order_no, "pays back"),
            *([_to("return", refund.return_no, "settles")] if refund.return_no else []),
        ]}  # fmt: skip
    for case in life.returns:
        made = _object("return", case.return_no, case.applied_at, type=case.type, reason=case.reason, fault=case.fault)
        made["attributes"] += _statuses((step.at, step.to_status) for step in case.steps)
        yield made | {"relationships": [_to("order", life.order_no, "is about")]}


def _child_objects(life: OrderLife, child: LoggedChild) -> Iterator[Json]:
    made = _object("child", child.child_no, life.placed_at, type=child.type, warehouse=child.warehouse,
                   carrier=child.carrier, paid_minor=child.paid_minor)  # fmt: skip
    made["attributes"] += _statuses((f.at, f.to_status) for f in life.facts if f.child_no == child.child_no)
    made["relationships"] = [_to("package", _number(package), "travels in") for package in child.packages]
    if child.return_no:
        made["relationships"].append(_to("return", child.return_no, "replaces goods of"))
    yield made
    for package in child.packages:
        yield _object("package", _number(package), life.placed_at, carrier=package.carrier)


def _events(life: OrderLife) -> Iterator[Json]:
    order = _to("order", life.order_no, "order")
    children = {child.child_no: child for child in life.children}
    yield _event(f"placed:{life.order_no}", PLACED, life.placed_at, [order])
    for n, payment in enumerate(life.payments, 1):
        number = f"{life.order_no}/{n}"
        yield _event(f"paid:{number}", PAID, payment.paid_at, [order, _to("payment", number, "payment")])
    for fact in life.facts:
        if fact.kind not in TOLD_OTHERWISE:
            yield _event(
                f"fact:{fact.id}", fact.kind, fact.at, [order, *_about(fact, children)], source=fact.source,
                recorded_at=fact.recorded_at.isoformat(), from_status=fact.from_status, to_status=fact.to_status,
            )  # fmt: skip
    for refund in life.refunds:
        about = [order, _to("refund", refund.refund_no, "refund")]
        about += [_to("return", refund.return_no, "reason")] if refund.return_no else []
        yield _event(f"requested:{refund.refund_no}", REFUND_REQUESTED, refund.requested_at, about)
        if refund.succeeded_at is not None:
            yield _event(f"succeeded:{refund.refund_no}", REFUND_SUCCEEDED, refund.succeeded_at, about)
    for case in life.returns:
        for step in case.steps:
            about = [_to("return", case.return_no, "return"), order]
            yield _event(f"step:{step.id}", step.action, step.at, about, role=step.role,
                         to_status=step.to_status)  # fmt: skip


def _about(fact: LoggedFact, children: Mapping[str, LoggedChild]) -> Iterator[Json]:
    """The child, and of its packages the one that the fact is of, where that can be told."""
    child = children.get(fact.child_no or "")
    if child is None:
        return
    yield _to("child", child.child_no, "child")
    if fact.kind in ROAD:
        named = [package for package in child.packages if package.waybill_no in fact.key.split(":")]
        for package in named or (child.packages if len(child.packages) == 1 else ()):
            yield _to("package", _number(package), "package")


def _number(package: LoggedPackage) -> str:
    return f"{package.carrier}/{package.waybill_no}"


def _object(type_: str, number: str, since: datetime, **known: str | int | None) -> Json:
    at = since.isoformat()
    attributes = [{"name": n, "time": at, "value": str(v)} for n, v in known.items() if v is not None]
    return {"id": f"{type_}:{number}", "type": type_, "attributes": attributes, "relationships": []}


def _event(id_: str, type_: str, at: datetime, about: Sequence[Json], **known: str | None) -> Json:
    attributes = [{"name": name, "value": value} for name, value in known.items() if value]
    return {"id": id_, "type": type_, "time": at.isoformat(), "attributes": attributes, "relationships": list(about)}


def _to(type_: str, number: str, part: str) -> Json:
    return {"objectId": f"{type_}:{number}", "qualifier": part}


def _statuses(moves: Iterable[tuple[datetime | None, str | None]]) -> Iterator[Json]:
    """One each time that it changed."""
    last = None
    for at, status in moves:
        if at is not None and status and status != last:
            yield {"name": "status", "time": at.isoformat(), "value": status}
            last = status
