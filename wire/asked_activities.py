"""Whose activities are done: those that a worker of ours has asked for, in a workflow of ours."""

from collections.abc import Sequence
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.trust.seals import KeyRing, Unsealed

log = structlog.get_logger("oms.seals")


class OnlyForOurWorkflows(Interceptor):
    """An activity is done for workflows of ours alone, and only when a worker of ours has asked for it."""

    def __init__(self, workflow_types: Sequence[str], ring: KeyRing | None) -> None:
        self._types = frozenset(workflow_types)
        self._demanded = ring is not None

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Asked(next, self._types, self._demanded)


class _Asked(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, workflow_types: frozenset[str], demanded: bool) -> None:
        super().__init__(next)
        self._types, self._demanded = workflow_types, demanded

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Raises `ApplicationError`, finally, with nothing done."""
        info = activity.info()
        if info.workflow_type not in self._types:
            raise _refused(f"no activity is done for a workflow of type {str(info.workflow_type)[:60]!r}")
        if self._demanded and not input.args and not info.is_local:
            raise _refused(f"{info.activity_type} is done only when a worker has asked for it, and this says nothing")
        if any(isinstance(argument, Unsealed) for argument in input.args):
            input.args = [_believed(argument) for argument in input.args]
        return await super().execute_activity(input)


def _believed(argument: Any) -> Any:
    if not isinstance(argument, Unsealed):
        return argument
    # When it was asked for, which the server says, and not when it is tried: a loop's tick is tried for days until
    # there is news, and what a worker asked for before seals counted is still to be done.
    if argument.since is None or activity.info().scheduled_time >= argument.since:
        raise _refused(f"{argument.activity} is done only when a worker has asked for it, and none has sealed this")
    return argument.value()


def _refused(why: str) -> ApplicationError:
    info = activity.info()
    log.warning("an activity was refused", workflow_id=info.workflow_id, activity=info.activity_type, why=why)
    return ApplicationError(why, type="NotOurs", non_retryable=True)
