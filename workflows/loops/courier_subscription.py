"""One loop a connector, for ever. So far: the courier's, which has every new waybill followed.

Subscribing is the connector's business, not the order's: one loop serves all orders, keeps the provider's limits, and
costs an order no history. Waiting for work is an activity's retries: a wait of any length costs no event.
"""

import asyncio
from datetime import timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.courier import CourierActivities, Follow
    from activities.polling import Seconds
    from activities.tracking import Followed, NewWaybill, TrackingActivities
    from domain.call_outcome import CallOutcome
    from domain.policy import Policy
    from domain.strict import Strict
    from workflows.durable.guarded import attempt, outcome, reason
    from workflows.durable.raw_messages import NO_ARGUMENT, StartRefused
    from workflows.durable.seals import answered
    from workflows.loops.signals import LoopSignals, start_settings, until_told_otherwise

COURIER_WORKFLOW = "FollowParcels"
COURIER_WORKFLOW_ID = "reconcile/kuaidi100"
ROUNDS = 50
"""Then continue as new: far below every history limit."""
STORE_STEP = timedelta(seconds=10)
ONE_CALL = timedelta(seconds=25)
"""Just above one HTTP deadline: one loop serves all parcels, so a worker that died must be noticed soon."""


class FollowParcels(Strict):
    """`tick_s`: how often to look for new waybills. Short, because a parcel without a follower is a blind spot."""

    tick_s: Seconds = 2
    backoff_s: tuple[Seconds, ...] = Policy().retry_backoff_s


@workflow.defn(name=COURIER_WORKFLOW)
class FollowParcelsWorkflow(LoopSignals):
    """Takes new waybills in batches and subscribes each at Kuaidi100. What cannot be subscribed becomes a ticket."""

    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        try:
            self._settings = start_settings(FollowParcels, raw)
        except StartRefused as refused:
            self._refused = refused

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> None:
        if self._refused is not None:
            raise self._refused.error()
        await until_told_otherwise(self._follow_all(), self._go_on)

    async def _follow_all(self) -> None:
        settings = self._settings
        for _ in range(ROUNDS):
            batch = await answered(
                lambda: workflow.execute_activity_method(
                    TrackingActivities.next_waybills,
                    settings.tick_s,
                    start_to_close_timeout=STORE_STEP,
                    retry_policy=RetryPolicy(
                        initial_interval=timedelta(seconds=settings.tick_s),
                        backoff_coefficient=1.0,
                    ),
                    summary="wait for new waybills",
                )
            )
            await asyncio.gather(*(self._follow(settings, waybill) for waybill in batch))
        self._go_on()

    def _go_on(self) -> NoReturn:
        workflow.continue_as_new(self._settings)

    async def _follow(self, settings: FollowParcels, waybill: NewWaybill) -> None:
        call = Follow(
            backoff_s=settings.backoff_s,
            waybill_no=waybill.waybill_no,
            carrier=waybill.carrier,
            phone=waybill.phone,
        )
        try:
            await attempt(CourierActivities.subscribe, call, summary=f"follow {waybill.waybill_no}", timeout=ONE_CALL)
            error, down = "", False
        except ActivityError as failure:
            if is_cancelled_exception(failure):
                raise
            error, down = reason(failure), outcome(failure) != CallOutcome.REFUSED
        await workflow.execute_activity_method(
            TrackingActivities.followed,
            Followed(
                child_no=waybill.child_no,
                order_no=waybill.order_no,
                error=error,
                down=down,
                waybill_no=waybill.waybill_no,
            ),
            start_to_close_timeout=STORE_STEP,
            summary=f"note {waybill.waybill_no}",
        )
