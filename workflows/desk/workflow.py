"""One command of the desk: who gives it is proven, then the worker does it (decision 0046). Workflow `DeskWork`."""

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.access.desk import DeskActivities, DoAtDesk
    from domain.access.desk import COMMAND, DESK_WORK, DeskDone, authority_row, desk_workflow_id
    from domain.strict import UnableToRead
    from workflows.desk.messages import AtDesk
    from workflows.durable.local_steps import LARGE, STORE_ERRORS, in_store
    from workflows.durable.proofs import admitted_first
    from workflows.durable.raw_messages import (
        NO_ARGUMENT,
        StartedWithOneMessage,
        StartRefused,
        read,
        well_formed,
    )

INVALID = "InvalidWork"


@workflow.defn(name=DESK_WORK)
class DeskWork(StartedWithOneMessage):
    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        self._done: DeskDone | None = None
        self._refused: ApplicationError | None = None

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> DeskDone:
        """Fails with the type of the refusal; nothing was done then."""
        try:
            self._done = await self._do(raw)
        except STORE_ERRORS as error:
            self._refused = _refusal(error)
        except StartRefused as refused:
            self._refused = refused.error()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._refused is not None:
            raise self._refused
        assert self._done is not None
        return self._done

    @workflow.update
    async def done(self) -> DeskDone:
        """Answers once it is done, or was refused (its type: a `ProofCode`, `DeskRefused`, `InvalidRuleSet`,
        `InvalidWork`)."""
        await workflow.wait_condition(lambda: self._refused is not None or self._done is not None)
        if self._refused is not None:
            raise self._refused
        assert self._done is not None
        return self._done

    @done.validator
    @well_formed
    def _check_done(self) -> None:
        """Whoever asks is told."""

    async def _do(self, raw: RawValue) -> DeskDone:
        """Raises `StartRefused`, `STORE_ERRORS`."""
        try:
            message = read(AtDesk, raw, "work")
        except UnableToRead as error:
            raise StartRefused(INVALID, str(error)) from None
        workflow_id = workflow.info().workflow_id
        n = workflow_id.rpartition("-")[2]
        plain = n.isascii() and n.isdigit() and len(n) <= 12
        if not plain or workflow_id != desk_workflow_id(message.work, int(n)):
            raise StartRefused(INVALID, f"the workflow id {workflow_id[:100]} is not the one of this work")
        message = await admitted_first(
            message, message.by, COMMAND, authority_row(message.work), of_order=getattr(message.work, "order_no", None),
            warehouse=getattr(message.work, "warehouse", None),
        )  # fmt: skip
        order = DoAtDesk(work=message.work, by=message.by, at=workflow.now())
        return await in_store(DeskActivities.do, order, summary=message.work.kind, timeout=LARGE)


def _refusal(error: Exception) -> ApplicationError:
    if isinstance(error, ApplicationError):
        return ApplicationError(error.message, *error.details, type=error.type, non_retryable=True)
    return ApplicationError(str(error), type="NoAnswer", non_retryable=True)
