"""What is known of one parcel on its way to a buyer, and what a fact makes of it."""

from dataclasses import replace
from datetime import datetime

from temporalio import workflow

from activities.messages import Booked
from domain.facts import Fact, Kind
from domain.fulfilment.packages import Packages
from domain.fulfilment.parcel_states import AppliedFact, ParcelStateMachine
from domain.states import ChildStatus
from workflows.durable.carrying import Into, Table

SEVERAL = "a child may go in several packages"
"""Id of the change: what began before it knows one number a child."""

ONCE_MORE = "a warehouse may reject once more"


def rejected_once_more(fact: Fact, told_at: datetime | None) -> bool:
    """A warehouse's rejections of an outbound all have one key: one of a later moment than was told is another one."""
    later = fact.kind is Kind.WMS_REJECTED and told_at is not None and fact.occurred_at > told_at
    return later and workflow.patched(ONCE_MORE)


class Shipment:
    CARRIED = Table(
        child_no=str,
        machine=Into(ParcelStateMachine),
        packages=Into(Packages),
        waybill_no=str | None,
        carrier=str | None,
        label=Booked | None,
        shipped_at=datetime | None,
        signed_at=datetime | None,
    )

    def __init__(self, child_no: str, status: ChildStatus) -> None:
        self.child_no = child_no
        self.machine = ParcelStateMachine(status)
        self.packages = Packages()
        self.waybill_no: str | None = None
        self.carrier: str | None = None
        self.label: Booked | None = None
        self.shipped_at: datetime | None = None
        self.signed_at: datetime | None = None

    def apply(self, fact: Fact) -> AppliedFact:
        """Facts are kept even where they no longer move the state."""
        self.packages.know(fact)
        whole, less = self.packages.as_of_the_child(fact)
        if whole != fact and not workflow.patched(SEVERAL):
            whole, less = fact, ""
        applied = self.machine.apply(whole)
        if less:
            applied = replace(applied, note=less)
        if fact.waybill_no and (self.waybill_no is None or fact.kind is Kind.WAYBILL_RETURNED):
            self.waybill_no, self.carrier = fact.waybill_no, fact.carrier or self.carrier
        # The earliest word counts, whichever comes first.
        if fact.kind in (Kind.WAYBILL_RETURNED, Kind.COLLECTED):
            self.shipped_at = min(fact.occurred_at, self.shipped_at or fact.occurred_at)
        if whole.kind is Kind.SIGNED:
            self.signed_at = min(whole.occurred_at, self.signed_at or whole.occurred_at)
        return applied

    def goes_under(self, number: str | None) -> bool:
        if not number or number == self.waybill_no:
            return bool(number)
        return number in self.packages.carriers and workflow.patched(SEVERAL)

    @property
    def open_numbers(self) -> tuple[tuple[str, str], ...]:
        """Numbers and carriers that can still have news."""
        known = {self.waybill_no: self.carrier}
        if self.packages.several and workflow.patched(SEVERAL):
            known = {number: self.packages.carriers[number] for number in self.packages.open}
        return tuple((number, carrier) for number, carrier in known.items() if number and carrier)

    def labelled(self, label: Booked) -> None:
        """It goes under the number that the carrier has booked."""
        self.label, self.waybill_no, self.carrier = label, label.waybill_no, label.carrier

    @property
    def status(self) -> ChildStatus:
        return self.machine.status

    @property
    def cancelled(self) -> bool:
        return self.status is ChildStatus.CANCELLED

    @property
    def shipped(self) -> bool:
        return self.machine.shipped

    @property
    def packed(self) -> bool:
        return self.status is ChildStatus.PACKED or self.shipped
