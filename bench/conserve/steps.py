"""Activities of ours, and scripted ones of outside systems: one attempt, in the surroundings of a real one."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import temporalio.activity
from temporalio.api.common.v1 import Payload
from temporalio.testing import ActivityEnvironment

from bench.conserve.answers import CONVERTER
from bench.conserve.execution import NAMESPACE, Execution
from bench.conserve.fate import DatabaseAway

INFO = ActivityEnvironment.default_info()


class Steps:
    def __init__(self) -> None:
        self._steps: dict[str, temporalio.activity._Definition] = {}

    def know(self, activities: Iterable[Callable[..., Any]]) -> None:
        """By their Temporal names."""
        for function in activities:
            definition = temporalio.activity._Definition.must_from_callable(function)
            self._steps[str(definition.name)] = definition

    async def attempt(
        self, execution: Execution, call: Any, attempt: int, scheduled: datetime, heartbeat: tuple[Any, ...], *,
        is_local: bool, fails: str,
    ) -> tuple[Payload | None, BaseException | None, tuple[Any, ...]]:  # fmt: skip
        """The result or the error, and the last heartbeat."""
        step = self._steps[call.activity_type]
        said = heartbeat
        surroundings = ActivityEnvironment()
        surroundings.info = replace(
            INFO, activity_type=call.activity_type, attempt=attempt, current_attempt_scheduled_time=scheduled,
            heartbeat_details=list(heartbeat), is_local=is_local, scheduled_time=scheduled, started_time=scheduled,
            workflow_id=execution.workflow_id, workflow_run_id=execution.run_id, namespace=NAMESPACE,
        )  # fmt: skip

        def beat(*details: Any) -> None:
            nonlocal said
            said = details

        surroundings.on_heartbeat = beat
        arguments = CONVERTER.from_payloads(call.arguments, step.arg_types)
        try:
            if fails == "before":
                raise DatabaseAway("the database went away before the step")
            result = CONVERTER.to_payload(await surroundings.run(step.fn, *arguments))
            if fails == "after":
                raise DatabaseAway("the database went away after the step")
        except Exception as error:
            return None, error, said
        return result, None, said
