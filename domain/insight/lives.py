"""The lives of orders as they are told to process mining: what was done, when, and to which things. Plain rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LoggedPackage:
    carrier: str
    waybill_no: str


@dataclass(frozen=True, slots=True)
class LoggedChild:
    """`return_no`: whose goods it replaces."""

    child_no: str
    type: str
    warehouse: str
    carrier: str | None
    paid_minor: int
    return_no: str | None = None
    packages: Sequence[LoggedPackage] = ()


@dataclass(frozen=True, slots=True)
class LoggedPayment:
    channel: str
    amount_minor: int
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class LoggedRefund:
    """`succeeded_at`: None, the money has not gone back yet."""

    refund_no: str
    return_no: str | None
    amount_minor: int
    requested_at: datetime
    succeeded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LoggedStep:
    """Of a return. `role`: in which somebody did it; who, is nobody's business here."""

    id: int
    at: datetime
    role: str
    action: str
    to_status: str | None


@dataclass(frozen=True, slots=True)
class LoggedReturn:
    return_no: str
    type: str
    reason: str
    fault: str
    applied_at: datetime
    steps: Sequence[LoggedStep] = ()


@dataclass(frozen=True, slots=True)
class LoggedFact:
    """What a source said and we applied. `key`: of the fact; it may name the package."""

    id: int
    key: str
    kind: str
    source: str
    at: datetime
    recorded_at: datetime
    child_no: str | None
    from_status: str
    to_status: str


@dataclass(frozen=True, slots=True)
class OrderLife:
    """One order with everything that belongs to it, each part in the order of its happening."""

    order_no: str
    channel: str
    kind: str
    currency: str
    payable_minor: int
    placed_at: datetime
    children: Sequence[LoggedChild] = ()
    payments: Sequence[LoggedPayment] = ()
    refunds: Sequence[LoggedRefund] = ()
    returns: Sequence[LoggedReturn] = ()
    facts: Sequence[LoggedFact] = ()
