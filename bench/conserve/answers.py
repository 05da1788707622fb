"""How activities end, in the messages that a workflow is told; and when a failed attempt is repeated."""

from datetime import timedelta
from typing import Any

from temporalio.api.failure.v1 import (
    ActivityFailureInfo,
    ApplicationFailureInfo,
    CanceledFailureInfo,
    Failure,
    TimeoutFailureInfo,
)
from temporalio.bridge.proto.activity_result import ActivityResolution, Cancellation
from temporalio.bridge.proto.activity_result import Failure as ActivityFailed
from temporalio.bridge.proto.workflow_activation import ResolveActivity
from temporalio.bridge.proto.workflow_commands import ScheduleActivity
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError

from bench.conserve.turns import Job

CONVERTER = pydantic_data_converter.payload_converter
START_TO_CLOSE = 1
SEEN, SELDOM = 15, timedelta(hours=6)
"""A step repeated without end fails alike until something else happens: after this many attempts it is tried seldom, or
weeks of play are thousands of attempts."""


def cancelled(seq: int, is_local: bool) -> Job:
    failure = Failure(
        message="Activity cancelled", activity_failure_info=ActivityFailureInfo(activity_id=str(seq)),
        cause=Failure(message="Cancelled", canceled_failure_info=CanceledFailureInfo()),
    )  # fmt: skip
    return resolved(seq, ActivityResolution(cancelled=Cancellation(failure=failure)), is_local=is_local)


def resolved(seq: int, resolution: ActivityResolution, *, is_local: bool) -> Job:
    return Job(resolve_activity=ResolveActivity(seq=seq, result=resolution, is_local=is_local))


def of_activity(call: ScheduleActivity, cause: Failure) -> Failure:
    info = ActivityFailureInfo(activity_id=call.activity_id)
    info.activity_type.name = call.activity_type
    return Failure(message="activity error", activity_failure_info=info, cause=cause)


def failure(error: BaseException) -> Failure:
    made = Failure()
    pydantic_data_converter.failure_converter.to_failure(error, CONVERTER, made)
    if not made.WhichOneof("failure_info"):
        made.application_failure_info.CopyFrom(ApplicationFailureInfo(type=type(error).__name__))
    return made


def again(error: BaseException, attempt: int, policy: Any) -> bool:
    final = isinstance(error, ApplicationError) and error.non_retryable
    if isinstance(error, ApplicationError) and error.type in policy.non_retryable_error_types:
        final = True
    return not final and (not policy.maximum_attempts or attempt < policy.maximum_attempts)


def wait(error: BaseException, attempt: int, policy: Any) -> timedelta:
    if isinstance(error, ApplicationError) and error.next_retry_delay is not None:
        return error.next_retry_delay
    first = policy.initial_interval.ToTimedelta() or timedelta(seconds=1)
    most = policy.maximum_interval.ToTimedelta() or first * 100
    if attempt >= SEEN and not policy.maximum_attempts:
        return SELDOM
    return min(first * (policy.backoff_coefficient or 2.0) ** min(attempt - 1, 30), most)


def failed(failure: Failure) -> ActivityResolution:
    return ActivityResolution(failed=ActivityFailed(failure=failure))


def timed_out(call: ScheduleActivity, heartbeat: tuple[Any, ...]) -> ActivityResolution:
    """No attempt was answered; what the last one had told stays known."""
    info = TimeoutFailureInfo(timeout_type=START_TO_CLOSE)  # type: ignore[arg-type]
    info.last_heartbeat_details.payloads.extend(CONVERTER.to_payloads(heartbeat))
    return failed(of_activity(call, Failure(message="activity StartToClose timeout", timeout_failure_info=info)))
