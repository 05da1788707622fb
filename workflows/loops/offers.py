"""Offers in time, `insight/offers`: every morning at nine in Shanghai the buyers of units whose warranty ends in thirty
days hear once that these can be replaced instead of repaired (R62). A workflow with a timer, as the reports are
(decision 0057).
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.insight.offers import LOOP, MakeOffers, OfferActivities
    from activities.insight.reports import InsightActivities, NotBuilt
    from domain.insight.periods import SHANGHAI
    from domain.returns.offers import OfferTerms
    from domain.strict import UnableToRead
    from workflows.durable.raw_messages import NO_ARGUMENT, StartRefused, read_only_one
    from workflows.durable.seals import answered
    from workflows.loops.signals import LoopSignals, start_settings

OFFERS_WORKFLOW = "Offers"
OFFERS_WORKFLOW_ID = "insight/offers"
ONE_BATCH = timedelta(minutes=2)
MOST_BATCHES = 200
"""A morning: the rest is for the next."""
STORE_STEP = timedelta(seconds=10)
RETRY = RetryPolicy(initial_interval=timedelta(minutes=1), backoff_coefficient=3.0, maximum_attempts=5)


class Offers(OfferTerms):
    """When, and how long before the end."""


@workflow.defn(name=OFFERS_WORKFLOW)
class OffersWorkflow(LoopSignals):
    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        self._changed = False
        try:
            self._settings = start_settings(Offers, raw)
        except StartRefused as refused:
            self._refused = refused

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> None:
        if self._refused is not None:
            raise self._refused.error()
        if not await self._until_morning():
            await self._make()
        workflow.continue_as_new(self._settings)

    def _hear(self, name: str, arguments: Sequence[RawValue]) -> None:
        if name != "configure":
            raise UnableToRead("the offers know no such signal")
        told = read_only_one(Offers, arguments, "signal")
        self._changed = self._changed or told != self._settings
        self._settings = told

    async def _until_morning(self) -> bool:
        """Whether it was told something else first."""
        due = next_day(workflow.now(), self._settings)
        workflow.set_current_details(f"waits for {due:%Y-%m-%d %H:%M} (Asia/Shanghai)")
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._changed, timeout=due - workflow.now(), timeout_summary="the next offers"
            )
        return self._changed

    async def _make(self) -> None:
        terms = OfferTerms(**self._settings.model_dump())
        wanted = MakeOffers(terms=terms, as_of=workflow.now())
        try:
            for _ in range(MOST_BATCHES):
                done = await answered(
                    lambda: workflow.execute_activity_method(
                        OfferActivities.make, wanted, start_to_close_timeout=ONE_BATCH, retry_policy=RETRY,
                        summary="offers in time",
                    )
                )  # fmt: skip
                if not done.made:
                    return
        except ActivityError as error:
            failed = NotBuilt(report="offers", period=LOOP, why=str(error.cause or error)[:500])
            await workflow.execute_activity_method(
                InsightActivities.not_built, failed, start_to_close_timeout=STORE_STEP, summary="ask about the offers"
            )


def next_day(now: datetime, terms: OfferTerms) -> datetime:
    """The next time of the day at which offers are made."""
    zone = terms.at_time.tzinfo or SHANGHAI
    due = datetime.combine(now.astimezone(zone).date(), terms.at_time.replace(tzinfo=None), tzinfo=zone)
    return due if due > now else due + timedelta(days=1)
