"""The automations' loop, `automation/look`: looks at what has happened, again and again. What it must not forget is in
the books: a run that ends, wherever, is gone on with (decision 0072)."""

from datetime import timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.watching.automation import Automate, AutomationActivities
    from workflows.durable.raw_messages import NO_ARGUMENT, StartRefused
    from workflows.durable.seals import answered
    from workflows.loops.signals import LoopSignals, start_settings, until_told_otherwise

AUTOMATION_WORKFLOW = "Automations"
AUTOMATION_WORKFLOW_ID = "automation/look"
ROUNDS = 200
"""Then continue as new: far below every history limit."""
ONE_LOOK = timedelta(minutes=2)

__all__ = ["AUTOMATION_WORKFLOW", "AUTOMATION_WORKFLOW_ID", "Automate", "AutomationWorkflow"]


@workflow.defn(name=AUTOMATION_WORKFLOW)
class AutomationWorkflow(LoopSignals):
    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        try:
            self._settings = start_settings(Automate, raw)
        except StartRefused as refused:
            self._refused = refused

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> None:
        if self._refused is not None:
            raise self._refused.error()
        await until_told_otherwise(self._look(), self._go_on)

    async def _look(self) -> None:
        settings = self._settings
        for _ in range(ROUNDS):
            looked = await answered(
                lambda: workflow.execute_activity_method(
                    AutomationActivities.look, settings, start_to_close_timeout=ONE_LOOK,
                    retry_policy=RetryPolicy(
                        initial_interval=timedelta(seconds=settings.tick_s), backoff_coefficient=1.0
                    ),
                    summary="look for what automations do",
                )
            )  # fmt: skip
            workflow.set_current_details(f"{workflow.now():%Y-%m-%d %H:%M:%S} UTC: {looked.done} runs")
        self._go_on()

    def _go_on(self) -> NoReturn:
        workflow.continue_as_new(self._settings)
