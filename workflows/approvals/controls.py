"""One change of the controls: who asks is proven, another person decides, the worker makes it (decision 0039).

Workflow `ChangeControls`, id `controls/{subject}-{n}`. Nobody's own machine has a say in it: what `oms` writes straight
into the database are not people, policies or published rules.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.access.controls import EXPIRED, AskChange, ControlActivities, OfApproval
    from activities.access.erasure import ErasureActivities
    from domain.access.controls import CHANGE_CONTROLS, COMMAND, DECIDED_WITHIN, at_once, authority_row, number_in
    from domain.approvals import ApprovalRequest
    from domain.strict import UnableToRead
    from workflows.approvals.approvals import Overdue, Waits
    from workflows.approvals.control_messages import ChangeOfControls, ControlAnswer
    from workflows.approvals.handlers import DecisionHandlers
    from workflows.durable.local_steps import STORE_ERRORS, in_store
    from workflows.durable.proofs import admitted_first
    from workflows.durable.raw_messages import NO_ARGUMENT, StartRefused, read, well_formed
    from workflows.durable.seals import answered

INVALID = "InvalidChange"
ERASING, SILENCE = timedelta(minutes=30), timedelta(minutes=6)
ERASING_AGAIN = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=30))
"""Without end; the server deletes histories by and by."""


@workflow.defn(name=CHANGE_CONTROLS)
class ChangeControls(DecisionHandlers):
    BY_SIGNAL = False
    """One run for as long as the question lies: what cannot be refused at the door is not looked at."""

    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        self._answer: ControlAnswer | None = None
        self._refused: StartRefused | None = None

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> ControlAnswer:
        """Fails with the type of the refusal when the change was not even asked for."""
        try:
            request = await self._ask(raw)
        except StartRefused as refused:
            self._refused = refused
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise refused.error() from None
        if request is None:
            self._answer = ControlAnswer(state="made", said="it only takes power away: done at once")
        else:
            self._answer = ControlAnswer(state="asked", approval=request)
            self._answer = await self._decided(request)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._answer

    @workflow.update
    async def asked(self) -> ControlAnswer:
        """Answers once the question is in the books, or the change was refused (its type: a `ProofCode`,
        `ChangeRefused`, `InvalidChange`)."""
        await workflow.wait_condition(lambda: self._refused is not None or self._answer is not None)
        if self._refused is not None:
            raise self._refused.error()
        assert self._answer is not None
        return self._answer

    @asked.validator
    @well_formed
    def _check_asked(self) -> None:
        """Whoever asks is told."""

    async def _ask(self, raw: RawValue) -> ApprovalRequest | None:
        """Raises `StartRefused`; nothing was asked."""
        workflow_id = workflow.info().workflow_id
        try:
            message = read(ChangeOfControls, raw, "change")
        except UnableToRead as error:
            raise StartRefused(INVALID, str(error)) from None
        n = number_in(workflow_id, message.change)
        if n is None:
            raise StartRefused(INVALID, f"the workflow id {workflow_id[:100]} is not the one of this change")
        row = authority_row(message.change)
        try:
            asking = AskChange(change=message.change, n=n, by=message.by, workflow_id=workflow_id)
            if at_once(message.change) and await self._was_done(asking):
                return None
            message = await admitted_first(message, message.by, COMMAND, row)
            asked = await in_store(ControlActivities.ask, asking, summary=f"ask about {workflow_id}")
        except STORE_ERRORS as error:
            raise _refusal(error) from None
        if asked.request is not None:
            self.approvals.keep(asked.request)
        return asked.request

    async def _was_done(self, asking: AskChange) -> bool:
        """A proof is no part of what a command says: told again it has its first answer."""
        summary = f"was {asking.workflow_id} done before"
        return (await in_store(ControlActivities.done_before, asking, summary=summary)).done

    async def _decided(self, request: ApprovalRequest) -> ControlAnswer:
        """The ticket that was opened with the question grows louder by itself."""
        waits = Waits(expires_s=int(DECIDED_WITHIN.total_seconds()))
        decided = await self.approvals.decided(request.approval_id, waits, _nothing_more)
        of = OfApproval(approval_id=request.approval_id)
        await in_store(ControlActivities.over, of, summary=f"{request.approval_id} is decided")
        if decided is None:
            await in_store(ControlActivities.expire, of, summary=f"{request.approval_id} has expired")
            return ControlAnswer(state="expired", approval=request, said="nobody has decided it in time; ask again")
        if not decided.approved:
            return ControlAnswer(state="rejected", approval=request, said=f"not approved by {decided.person_id}")
        try:
            made = await in_store(ControlActivities.make, of, summary=f"make {request.approval_id}")
        except STORE_ERRORS as error:
            if isinstance(error, ApplicationError) and error.type == EXPIRED:
                await in_store(ControlActivities.expire, of, summary=f"{request.approval_id} has expired")
                return ControlAnswer(state="expired", approval=request, said=error.message)
            return ControlAnswer(state="not_made", approval=request, said=str(_refusal(error))[:1000])
        if request.kind == "forget_buyer":
            await self._forget(of)
        return ControlAnswer(state="made", approval=request, said=made.done)

    async def _forget(self, of: OfApproval) -> None:
        """Until it is gone everywhere: what two people have decided is not given up."""
        await answered(
            lambda: workflow.execute_activity_method(
                ErasureActivities.erase, of, start_to_close_timeout=ERASING, heartbeat_timeout=SILENCE,
                retry_policy=ERASING_AGAIN, summary=f"erase for {of.approval_id}",
            )
        )  # fmt: skip


def _refusal(error: Exception) -> StartRefused:
    if isinstance(error, ApplicationError):
        return StartRefused(error.type or INVALID, error.message)
    return StartRefused("NoAnswer", str(error))


def _nothing_more(_request: ApprovalRequest, _what: Overdue) -> None:
    """Nothing is to be said beside the ticket."""
