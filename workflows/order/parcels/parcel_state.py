"""What is known of one child order: the order's own part beside what every parcel has (workflows/shipping/shipment.py).

Who needs to know of a parcel (its label, its supplier, an interception) takes this, not the branch that drives it.
"""

from dataclasses import replace
from datetime import datetime

from temporalio import workflow

from activities.messages import Booked
from domain.facts import Fact, Kind
from domain.fulfilment.parcel_states import AppliedFact
from domain.fulfilment.reallocation import Held, less
from domain.order import Address
from domain.records import ChildPlan, ChildState, Package
from domain.states import ChildStatus, Outcome
from domain.units import UnitRange, without
from workflows.durable.carrying import ByType, Table
from workflows.shipping.shipment import Shipment, rejected_once_more

TO_THE_END = "a warehouse is heard until a parcel leaves"


class ParcelState(Shipment):
    CARRIED = Table(
        label=ByType(Booked | None, pack=lambda label: label and label.model_copy(update={"label_b64": None})),
        plan=ChildPlan,
        address=Address,
        runs=tuple[UnitRange, ...],
        replaces=tuple[str, ...],
        replaced_by=tuple[str, ...],
        set_aside=bool,
        accepted=bool,
        rejected=str,
        rejected_at=datetime | None,
        nothing_found=bool,
        sends_again=bool,
        answered=bool,
        left_all_the_same=bool,
        pushed_at=datetime | None,
        left={"_label_is_new": "its bytes are written", "being_stopped": "no run ends while something is stopped"},
    ).under(Shipment.CARRIED)

    def __init__(self, plan: ChildPlan, address: Address) -> None:
        super().__init__(plan.child_no, plan.status)
        self.plan = plan
        self.address = address
        self.runs: tuple[UnitRange, ...] = plan.runs
        self.replaces: tuple[str, ...] = ()
        self.replaced_by: tuple[str, ...] = ()
        self.set_aside = False
        """Being made anew (workflows/order/changes/requests.py): whatever becomes of it meanwhile, its stock stays
        reserved."""
        self.accepted = False
        self.rejected = ""
        """Why the warehouse will not ship what it took."""
        self.rejected_at: datetime | None = None
        """When that happened, by its own word."""
        self.nothing_found = False
        """It would ship it, and has found no unit of it."""
        self.sends_again = False
        """It is pushed once more although it was packed once: a person has said so."""
        self.answered = False
        """The warehouse, or the supplier, has said whether it takes the child."""
        self.being_stopped = False
        """Who wants that has asked the warehouse, and has not looked at its answer yet."""
        self.left_all_the_same = False
        """A person was asked about it: it was stopped, and the world says that it is on its way."""
        self.pushed_at: datetime | None = None
        """When the latest push ended that has arrived at the warehouse, or may have."""
        self._label_is_new = False

    def apply(self, fact: Fact) -> AppliedFact:
        applied = super().apply(fact)
        known = applied.outcome is Outcome.DUPLICATE
        if known and not self.rejected and rejected_once_more(fact, self.rejected_at):
            known, applied = False, replace(applied, note="rejected once more")
        if fact.kind in (Kind.WMS_ACCEPTED, Kind.PICKING):
            self.accepted = self.answered = True
        if fact.kind is Kind.WMS_REJECTED and not (known and workflow.patched(TO_THE_END)):
            self.rejected, self.accepted = fact.note or "the warehouse gave no reason", False
            self.rejected_at, self.nothing_found = fact.occurred_at, False
            self.answered = True
        return applied

    @property
    def needs_no_push(self) -> bool:
        """The warehouse is past that."""
        return self.shipped if self.sends_again else self.packed

    def labelled(self, label: Booked) -> None:
        super().labelled(label)
        self._label_is_new = True

    # --- units that others ship --------------------------------------------------------------------------------------

    def release_units(self, gone: tuple[UnitRange, ...], to: tuple[ChildPlan, ...]) -> None:
        """Some of its units, and their money, are no longer this one's."""
        self.runs = without(self.runs, gone)
        self.replaced_by += tuple(plan.child_no for plan in to)
        self.plan = less(self.plan, to)

    def release_all(self, to: tuple[str, ...]) -> None:
        self.replaced_by = to
        self.runs, nothing = (), {"lines": {}, "net_minor": 0, "freight_minor": 0, "paid_minor": 0, "runs": ()}
        self.plan = self.plan.model_copy(update=nothing)

    @property
    def handed_over(self) -> bool:
        """All of its units are others' now."""
        return self.cancelled and bool(self.replaced_by) and not self.plan.lines

    @property
    def held(self) -> Held:
        """As it stands, for the rules of making children anew."""
        waits = not self.machine.has_stock
        return Held(self.plan, ChildStatus.BACKORDER if waits else self.status, self.runs)

    def take_again(self, as_it_was: Held) -> None:
        """Nobody has taken its units over after all, and it is still set aside."""
        self.plan, self.runs, self.replaced_by, self.set_aside = as_it_was.plan, as_it_was.runs, (), True

    # --- what it shows -----------------------------------------------------------------------------------------------

    def row(self, *, to_write: bool = False) -> ChildState:
        """To the books, to queries, to operators. The label's bytes travel in the first write after printing only."""
        label = self.label
        return ChildState(
            child_no=self.child_no,
            status=self.status,
            waybill_no=self.waybill_no,
            carrier=self.carrier,
            tms_ref=label.tms_ref if label else None,
            label_format=label.label_format if label else None,
            label_b64=self._label_bytes() if to_write else None,
            shipped_at=self.shipped_at,
            signed_at=self.signed_at,
            replaces=self.replaces,
            replaced_by=self.replaced_by,
            packages=self._packages(),
        )

    def _packages(self) -> tuple[Package, ...]:
        """One package is told by the child's own number."""
        if not self.packages.several:
            return ()
        return tuple(
            Package(waybill_no=number, carrier=carrier, signed_at=self.packages.signed_at.get(number))
            for number, carrier in self.packages.carriers.items()
        )

    def _label_bytes(self) -> str | None:
        is_new, self._label_is_new = self._label_is_new, False
        return self.label.label_b64 if self.label and is_new else None
