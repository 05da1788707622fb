"""Decides what no workflow waits for, such as a rule set to publish: the same activity of the same worker, so that the
decider's own machine has no say in whose tokens count (F7). Workflow `DecideInPlace`, id `decide/{approval_id}/{n}`."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.approvals import DECIDE_IN_PLACE, Decide, PeopleActivities
    from domain.approvals import Decided, Decision, RefusalCode
    from domain.strict import UnableToRead
    from workflows.approvals.approvals import DECIDE_RETRY, DECIDE_TIMEOUT
    from workflows.durable.raw_messages import NO_ARGUMENT, StartedWithOneMessage, read
    from workflows.durable.seals import believed

LIFE = timedelta(minutes=5)
"""Whoever started it waits less."""


@workflow.defn(name=DECIDE_IN_PLACE)
class DecideInPlace(StartedWithOneMessage):
    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        self._raw = raw

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> Decided:
        """Fails with an error whose type is a `RefusalCode`, its audit row written; or TOKEN_KEYS_UNAVAILABLE."""
        try:
            decision = read(Decision, self._raw, "decision")
        except UnableToRead as error:
            raise ApplicationError(str(error), type=RefusalCode.BAD_DECISION, non_retryable=True) from None
        try:
            return believed(
                await workflow.execute_activity_method(
                    PeopleActivities.decide, Decide(decision=decision), start_to_close_timeout=DECIDE_TIMEOUT,
                    schedule_to_close_timeout=LIFE, retry_policy=DECIDE_RETRY, summary=f"decide {decision.approval_id}",
                )
            )  # fmt: skip
        except ActivityError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError):
                raise ApplicationError(cause.message, type=cause.type, non_retryable=True) from None
            why = f"approval {decision.approval_id} could not be decided now: look with `oms approve show`"
            raise ApplicationError(why, type="NoAnswer", non_retryable=True) from None
