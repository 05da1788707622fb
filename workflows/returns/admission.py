"""How a case gets into the books: the start message is read strictly, judged, and its units and money are held."""

import hashlib
from dataclasses import dataclass

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from activities.return_messages import Apply, IssueCode, Taken
from activities.returns import ReturnActivities
from domain.access.authority import BY_STAFF
from domain.returns.models import ApplyReturn, Parcel, ReopenReturn, ReturnNo, return_too_large
from domain.strict import UnableToRead, load, parse
from domain.trust.seals import WORKER
from workflows.durable.local_steps import in_store, until_in_store
from workflows.durable.proofs import admitted_first
from workflows.durable.raw_messages import StartRefused, check_workflow_id, json_bytes, no_card
from workflows.durable.seals import Seals
from workflows.order_return_signals import return_workflow_id

INVALID = "InvalidReturn"
APPLY = "return.apply"
PROVEN = "applicants are proven"
SIZED = "returns-have-a-size"
"""Those that were larger and are open go on as they can."""


@dataclass(frozen=True)
class Start:
    """What the case starts from: an application, or goods that came after their case had closed."""

    return_no: str
    order_no: str
    application: ApplyReturn | None
    reopening: ReopenReturn | None

    @property
    def reopens(self) -> str | None:
        return self.reopening.reopens if self.reopening else None

    @property
    def parcel(self) -> Parcel | None:
        r = self.reopening
        if r is None or r.carrier is None or r.waybill_no is None:
            return None
        return Parcel(carrier=r.carrier, waybill_no=r.waybill_no)


def read_start(raw: RawValue, *, goes_on: bool = False) -> Start:
    """The start message out of its raw bytes. Raises `StartRefused`. `goes_on`: an earlier run has been taken."""
    try:
        start = _read(json_bytes(raw, "application"))
    except UnableToRead as error:
        raise StartRefused(INVALID, str(error), tuple(str(error).splitlines())) from None
    check_workflow_id(return_workflow_id(start.return_no), INVALID)
    if start.reopens is not None and not goes_on:
        _insist_on_parent(start.reopens)
        if not Seals.of(raw).hold([raw], WORKER):  # a stranger's workflow may bear the parent's number
            raise StartRefused(INVALID, "a linked case is started by a worker of ours, and none has sealed this start")
    if start.application is not None and not goes_on:
        no_card(start.application, INVALID)
    why = return_too_large(start.application) if start.application is not None else ""
    if why and not goes_on and workflow.patched(SIZED):
        raise StartRefused(INVALID, why, (why,))
    return start


def _insist_on_parent(reopens: str) -> None:
    """Only the closed case itself starts a linked one, as its child: nobody has to prove who applies."""
    parent = workflow.info().parent
    if parent is None or parent.workflow_id != return_workflow_id(reopens):
        raise StartRefused(INVALID, f"a linked case is started by return {reopens}, by nobody else")


def _read(data: bytes) -> Start:
    value = load(data)
    if isinstance(value, dict) and "reopens" in value:
        reopening = parse(ReopenReturn, data)
        return Start(reopening.return_no, "", None, reopening)
    application = parse(ApplyReturn, data)
    return Start(application.return_no, application.order_no, application, None)


async def admit(start: Start) -> Taken:
    """Raises `StartRefused`, with every reason."""
    application = start.application
    if application is not None and (application.proof is not None or workflow.patched(PROVEN)):
        application = await _proven(application)
    message = Apply(
        application=application,
        reopening=start.reopening,
        run_id=workflow.info().first_execution_run_id,
        now=workflow.now(),
    )
    try:
        return await in_store(ReturnActivities.admit, message, summary="admit")
    except ApplicationError as error:  # what a local activity raises comes as it is
        raise StartRefused(error.type or INVALID, error.message, tuple(error.details)) from None


async def _proven(application: ApplyReturn) -> ApplyReturn:
    """Who applies is no invention of who will approve. Raises `StartRefused`."""
    actor = application.actor
    row = APPLY if actor.kind == "buyer" else f"{APPLY}{BY_STAFF}"
    try:
        return await admitted_first(application, actor.id, APPLY, row, of_order=application.order_no)
    except ApplicationError as error:
        raise StartRefused(error.type or INVALID, error.message) from None


async def issue_code(return_no: str) -> str:
    issued = await until_in_store(
        ReturnActivities.issue_code, IssueCode(return_no=return_no, now=workflow.now()), summary="return code"
    )
    return issued.code


def linked_number(return_no: str) -> ReturnNo:
    """Of the case that takes in what comes late; follows from the closed one's, so that there is one."""
    if len(return_no) <= 24:
        return f"{return_no}-R"
    return f"L{hashlib.sha256(return_no.encode()).hexdigest()[:20].upper()}"
