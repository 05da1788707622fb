"""A parcel that comes after its case has closed unsent: a linked case takes it in, nothing is lost in silence (N6)."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

from domain.facts import Fact
from domain.returns.models import Parcel, ReopenReturn
from domain.states import Outcome
from workflows.durable.branches import Branches
from workflows.durable.carrying import Table
from workflows.durable.continuing import under_way
from workflows.order_return_signals import RETURN_WORKFLOW, return_workflow_id
from workflows.returns.admission import linked_number
from workflows.returns.messages import Received
from workflows.returns.state import ReturnState

WATCH = timedelta(days=30)
"""How long a case that closed unsent still listens. Later goods are for a person: the relay parks what it hears."""


class LateParcel:
    CARRIED = Table(
        watching=bool,
        linked=str | None,
        _until=datetime | None,
        left={"state": "wiring", "_branches": "wiring"},
    )

    def __init__(self, state: ReturnState, branches: Branches) -> None:
        self.state = state
        self.watching = False
        self.linked: str | None = None
        self._until: datetime | None = None
        self._branches = branches

    async def watch(self) -> None:
        self.watching = True
        self._until = self._until or workflow.now() + WATCH
        self.state.now_waits_for("a parcel that comes after all")
        await self._branches.until(lambda: self.linked is not None, by=self._until - workflow.now(), name="late parcel")

    async def admit(self, parcel: Parcel | None) -> Received:
        """The linked case has begun when this returns. The same late parcel told twice is one case."""
        if self.linked is None:
            self.linked = linked_number(self.state.return_no)
            message = ReopenReturn(
                return_no=self.linked, reopens=self.state.return_no,
                carrier=parcel.carrier if parcel else None, waybill_no=parcel.waybill_no if parcel else None,
            )  # fmt: skip
            with under_way():
                await workflow.start_child_workflow(
                    RETURN_WORKFLOW, message, id=return_workflow_id(self.linked),
                    parent_close_policy=ParentClosePolicy.ABANDON,
                )  # fmt: skip
            self.state.log("system", "reopened as a linked case", linked=self.linked)
        return Received(return_no=self.linked)

    def apply(self, fact: Fact) -> None:
        status = self.state.status.value
        first = fact.key not in self.state.applied
        if first and self.state.is_out_of_time(fact):
            return
        self.state.record(fact, Outcome.APPLIED if first else Outcome.DUPLICATE, status, status, None)
        if first and fact.waybill_no:
            parcel = Parcel(carrier=fact.carrier or "unknown", waybill_no=fact.waybill_no)
            self._branches.take_on(self._admit(parcel))

    async def _admit(self, parcel: Parcel) -> None:
        await self.admit(parcel)
