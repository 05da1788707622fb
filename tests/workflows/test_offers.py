"""Every morning what is due is offered, some hundred at a time; where that cannot be done somebody is asked."""

import uuid
from datetime import UTC, datetime, time, timedelta

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.insight.offers import MakeOffers, OffersMade
from activities.insight.reports import NotBuilt
from domain.returns.offers import OfferTerms
from tests.workflows.play import until
from workflows.loops.offers import OFFERS_WORKFLOW, Offers, OffersWorkflow, next_day


class Shop:
    """Has two full batches and a rest on the first morning, nothing on the second, and nobody who listens then."""

    def __init__(self) -> None:
        self.left = [500, 500, 20, 0, 0]
        self.asked: list[MakeOffers] = []
        self.failed: list[NotBuilt] = []

    @activity.defn(name="insight.make_offers")
    async def make(self, wanted: MakeOffers) -> OffersMade:
        self.asked.append(wanted)
        if not self.left:
            raise ApplicationError("nobody subscribes", type="NobodyListens", non_retryable=True)
        return OffersMade(made=self.left.pop(0))

    @activity.defn(name="insight.not_built")
    async def not_built(self, failed: NotBuilt) -> None:
        self.failed.append(failed)


async def test_a_morning_ends_when_nothing_is_due_and_a_failure_asks_somebody_and_stops_no_other_morning(
    skipping: WorkflowEnvironment,
) -> None:
    shop, queue = Shop(), f"offers-{uuid.uuid4().hex}"
    async with Worker(
        skipping.client, task_queue=queue, workflows=[OffersWorkflow], activities=[shop.make, shop.not_built],
        build_id="tests",
    ):  # fmt: skip
        handle = await skipping.client.start_workflow(
            OFFERS_WORKFLOW, Offers(), id=f"insight/{queue}", task_queue=queue
        )
        await skipping.fast_forward(handle, timedelta(days=5))
        await until(lambda: bool(shop.failed), "somebody is asked")
        await skipping.client.get_workflow_handle(handle.id).terminate()
    days = [wanted.as_of.astimezone(UTC).date() for wanted in shop.asked]
    assert len(set(days[:4])) == 1 and days[4] > days[3] and days[5] > days[4]
    assert {wanted.as_of.astimezone(UTC).hour for wanted in shop.asked} == {1}, "nine in Shanghai"
    assert (shop.failed[0].report, "nobody" in shop.failed[0].why) == ("offers", True)


@pytest.mark.parametrize(
    ("now", "at", "due"),
    [
        ("2026-04-01T08:59:59+08:00", time(9), "2026-04-01T09:00:00+08:00"),
        ("2026-04-01T09:00:00+08:00", time(9), "2026-04-02T09:00:00+08:00"),
        ("2026-04-01T20:00:00+08:00", time(21, tzinfo=UTC), "2026-04-01T21:00:00+00:00"),
    ],
)
def test_the_next_time_of_the_day_is_the_shops_unless_it_says_where(now: str, at: time, due: str) -> None:
    assert next_day(datetime.fromisoformat(now), OfferTerms(at_time=at)) == datetime.fromisoformat(due)
