"""A parcel that comes after its case has closed unsent: a linked case takes it in, nothing is lost in silence (N6)."""

from datetime import timedelta

from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

from domain.facts import Fact
from domain.returns.models import Parcel, ReopenReturn
from domain.states import Outcome
from workflows.branches import Branches
from workflows.case_book import CaseBook
from workflows.case_signals import RETURN_WORKFLOW, return_workflow_id
from workflows.return_admission import linked_number
from workflows.return_messages import Received

WATCH = timedelta(days=30)
"""How long a case that closed unsent still listens. Later goods are for a person: the relay parks what it hears."""


class LateParcel:
    def __init__(self, book: CaseBook, branches: Branches) -> None:
        self.book = book
        self.watching = False
        self.linked: str | None = None
        self._branches = branches

    async def watch(self) -> None:
        self.watching = True
        self.book.now_waits_for("a parcel that comes after all")
        await self._branches.until(lambda: self.linked is not None, by=WATCH, name="late parcel")

    async def comes(self, parcel: Parcel | None) -> Received:
        """The linked case has begun when this returns. The same late parcel told twice is one case."""
        if self.linked is None:
            self.linked = linked_number(self.book.return_no)
            message = ReopenReturn(
                return_no=self.linked, reopens=self.book.return_no,
                carrier=parcel.carrier if parcel else None, waybill_no=parcel.waybill_no if parcel else None,
            )  # fmt: skip
            await workflow.start_child_workflow(
                RETURN_WORKFLOW, message, id=return_workflow_id(self.linked),
                parent_close_policy=ParentClosePolicy.ABANDON,
            )  # fmt: skip
            self.book.tell("system", "reopened as a linked case", linked=self.linked)
        return Received(return_no=self.linked)

    def hear(self, fact: Fact) -> None:
        status = self.book.status.value
        first = fact.key not in self.book.applied
        self.book.record(fact, Outcome.APPLIED if first else Outcome.DUPLICATE, status, status, None)
        if first and fact.waybill_no:
            parcel = Parcel(carrier=fact.carrier or "unknown", waybill_no=fact.waybill_no)
            self._branches.take_on(self._comes(parcel))

    async def _comes(self, parcel: Parcel) -> None:
        await self.comes(parcel)
