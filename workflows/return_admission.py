"""How a case gets into the books: the start message is read strictly, judged, and its units and money are held."""

import hashlib
from dataclasses import dataclass

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from activities.return_calls import Apply, IssueCode, Taken
from activities.returns import ReturnActivities
from domain.returns.models import ApplyReturn, Parcel, ReopenReturn, ReturnNo
from domain.returns.records import CodeIssued
from domain.strict import UnableToRead, load, parse
from workflows.book import STORE_RETRY, STORE_TIMEOUT
from workflows.case_signals import return_workflow_id

INVALID = "InvalidReturn"


class Refused(Exception):
    """An application that does not become a case. `kind`: the error type the caller sees; `reasons`: all of them."""

    def __init__(self, kind: str, text: str, reasons: tuple[object, ...] = ()) -> None:
        super().__init__(text)
        self.kind, self.reasons = kind, reasons

    def error(self) -> ApplicationError:
        return ApplicationError(str(self), *self.reasons, type=self.kind, non_retryable=True)


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


def read_start(raw: RawValue) -> Start:
    """The start message out of its raw bytes: what cannot be read is a refusal, not a workflow that hangs for ever."""
    if raw.payload.metadata.get("encoding") != b"json/plain":
        raise Refused(INVALID, "the application is not JSON (payload encoding json/plain)")
    try:
        start = _read(raw.payload.data)
    except UnableToRead as error:
        raise Refused(INVALID, str(error), tuple(str(error).splitlines())) from None
    expected = return_workflow_id(start.return_no)
    if workflow.info().workflow_id != expected:
        raise Refused(INVALID, f"the workflow id must be {expected}, it is {workflow.info().workflow_id}")
    return start


def _read(data: bytes) -> Start:
    value = load(data)
    if isinstance(value, dict) and "reopens" in value:
        reopening = parse(ReopenReturn, data)
        return Start(reopening.return_no, "", None, reopening)
    application = parse(ApplyReturn, data)
    return Start(application.return_no, application.order_no, application, None)


async def admit(start: Start) -> Taken:
    """Raises `Refused`, with every reason."""
    message = Apply(
        application=start.application,
        reopening=start.reopening,
        run_id=workflow.info().first_execution_run_id,
        now=workflow.now(),
    )
    try:
        return await workflow.execute_local_activity_method(
            ReturnActivities.admit,
            message,
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary="admit",
        )
    except ApplicationError as error:  # what a local activity raises comes as it is
        raise Refused(error.type or INVALID, error.message, tuple(error.details)) from None


async def issue_code(return_no: str) -> str:
    issued: CodeIssued = await workflow.execute_local_activity_method(
        ReturnActivities.issue_code,
        IssueCode(return_no=return_no, now=workflow.now()),
        start_to_close_timeout=STORE_TIMEOUT,
        retry_policy=STORE_RETRY,
        summary="return code",
    )
    return issued.code


def linked_number(return_no: str) -> ReturnNo:
    """Of the case that takes in what comes late; follows from the closed one's, so that there is one."""
    if len(return_no) <= 24:
        return f"{return_no}-R"
    return f"L{hashlib.sha256(return_no.encode()).hexdigest()[:20].upper()}"
