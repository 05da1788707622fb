"""What is on its way, or waited for, between workflow tasks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_commands import ScheduleActivity

from bench.conserve.execution import Execution


@dataclass
class Pending:
    """An ordinary activity on its way. `due`: when its next attempt starts."""

    execution: Execution
    call: ScheduleActivity
    due: datetime
    scheduled: datetime
    attempt: int = 1
    heartbeat: tuple[Any, ...] = ()


@dataclass
class Timer:
    execution: Execution
    seq: int
    due: datetime


@dataclass
class Answer:
    """Of one update. `outcome`: a payload, or a failure; `gone`: its workflow has ended without one."""

    result: Payload | None = None
    failure: Failure | None = None
    gone: bool = False

    @property
    def known(self) -> bool:
        return self.result is not None or self.failure is not None or self.gone
