"""The courier's loop: every new waybill is followed, what cannot be followed is noted, the loop never ends."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.courier import Follow
from activities.provider_errors import outside
from activities.tracking import Followed, NewWaybill
from tests.raw_messages import STRANGE
from tests.returns.plain_cli import workflow_command
from tests.workflows.play import kinds, until
from tests.workflows.world.faults import Faults
from workflows.loops import courier_subscription
from workflows.loops.courier_subscription import COURIER_WORKFLOW, FollowParcels, FollowParcelsWorkflow

FOUR_ATTEMPTS = timedelta(seconds=36)


class Courier:
    """A store with new waybills, and a courier that can be told to follow them."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.batches: list[list[NewWaybill]] = []
        self.asked: list[str] = []
        self.noted: list[Followed] = []
        self.looked = 0

    @activity.defn(name="tracking.next_waybills")
    async def next_waybills(self, tick_s: int = 0) -> list[NewWaybill]:
        self.looked += 1
        if not self.batches:
            raise ApplicationError("no new waybill", type="nothing_yet")
        return self.batches.pop(0)

    @activity.defn(name="courier.subscribe")
    async def subscribe(self, call: Follow) -> None:
        async with outside(call):
            self.faults.item("subscribe", call.waybill_no)
        self.asked.append(call.waybill_no)

    @activity.defn(name="tracking.followed")
    async def followed(self, result: Followed) -> None:
        self.noted.append(result)


def new(*numbers: int) -> list[NewWaybill]:
    return [
        NewWaybill(child_no=f"T1-{n:02d}", order_no="T1", waybill_no=f"YT{n}", carrier="YTO", phone="13800000000")
        for n in numbers
    ]


@asynccontextmanager
async def following(env: WorkflowEnvironment, courier: Courier) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    queue = f"test-{uuid.uuid4().hex}"
    async with Worker(
        env.client, task_queue=queue, workflows=[FollowParcelsWorkflow],
        activities=[courier.next_waybills, courier.subscribe, courier.followed], build_id="tests",
    ):  # fmt: skip
        with env.with_time_skipping_disabled():
            handle = await env.client.start_workflow(
                COURIER_WORKFLOW, FollowParcels(tick_s=1), id=f"reconcile/{queue}", task_queue=queue
            )
        try:
            yield handle
        finally:
            await env.client.get_workflow_handle(handle.id).terminate()


async def test_new_waybills_are_followed_and_noted(skipping: WorkflowEnvironment) -> None:
    courier = Courier()
    courier.batches = [new(1, 2), new(3)]
    async with following(skipping, courier):
        await until(lambda: len(courier.noted) == 3, "three waybills followed")
    assert sorted(courier.asked) == ["YT1", "YT2", "YT3"]
    assert {n.error for n in courier.noted} == {""}


@pytest.mark.parametrize("how", ["refused", "retry"])
async def test_what_cannot_be_followed_is_noted_with_its_error_and_the_rest_goes_on(
    skipping: WorkflowEnvironment, how: Any
) -> None:
    courier = Courier()
    courier.faults.fail("subscribe", how=how, item="YT1")
    courier.batches = [new(1, 2), new(3)]
    async with following(skipping, courier) as handle:
        await until(lambda: courier.asked == ["YT2"], "the one that works")
        await skipping.fast_forward(handle, FOUR_ATTEMPTS)
        await until(lambda: len(courier.noted) == 3, "three waybills noted")
    errors = {n.child_no: n.error for n in courier.noted}
    assert "does not answer" in errors["T1-01"] and errors["T1-02"] == errors["T1-03"] == ""
    assert [n.child_no for n in courier.noted if n.down] == ([] if how == "refused" else ["T1-01"])


async def test_a_hiccup_of_the_courier_is_tried_again(skipping: WorkflowEnvironment) -> None:
    courier = Courier()
    courier.faults.fail("subscribe", 2, item="YT1")
    courier.batches = [new(1)]
    async with following(skipping, courier) as handle:
        await skipping.fast_forward(handle, FOUR_ATTEMPTS)
        await until(lambda: bool(courier.noted), "the waybill noted")
    assert courier.noted[0].error == ""


async def test_waiting_for_work_costs_no_events(skipping: WorkflowEnvironment) -> None:
    courier = Courier()
    async with following(skipping, courier) as handle:
        await skipping.fast_forward(handle, timedelta(minutes=1))
        assert courier.looked >= 30
        count = kinds(await handle.fetch_history())
        assert count["ACTIVITY_TASK_SCHEDULED"] == 1 and count.total() <= 10


async def test_the_loop_goes_on_in_a_new_run(skipping: WorkflowEnvironment) -> None:
    courier = Courier()
    rounds = courier_subscription.ROUNDS + 5
    courier.batches = [new(n) for n in range(rounds)]
    async with following(skipping, courier) as handle:
        await until(lambda: len(courier.noted) == rounds, "every round of two runs")
        first = await skipping.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).describe()
    assert first.status is not None and first.status.name == "CONTINUED_AS_NEW"
    assert len(set(courier.asked)) == rounds


async def test_a_signal_of_any_shape_stops_nobody(skipping: WorkflowEnvironment) -> None:
    courier = Courier()
    async with following(skipping, courier) as handle:
        await until(lambda: courier.looked > 0, "the loop runs")
        for arguments in STRANGE.values():
            await handle.signal("configure", args=list(arguments))
        courier.batches = [new(1)]
        await until(lambda: courier.asked == ["YT1"], "the loop goes on")
        assert kinds(await handle.fetch_history())["WORKFLOW_TASK_FAILED"] == 0


async def test_temporals_own_buttons_pressed_by_the_plain_cli_stop_no_loop(skipping: WorkflowEnvironment) -> None:
    """Cancel, reset, and terminate with the reset that the runbook prints; a terminated loop that nobody resets is
    started again by the workers (tests/workflows/test_polling.py)."""
    courier = Courier()
    async with following(skipping, courier) as handle:

        async def press(*what: str) -> None:
            await workflow_command(skipping.client, *what, "--workflow-id", handle.id)

        async def follows(number: int) -> None:
            courier.batches.append(new(number))
            with skipping.with_time_skipping_disabled():
                await until(lambda: f"YT{number}" in [n.waybill_no for n in courier.noted], f"YT{number} followed")

        await follows(1)
        await press("cancel")
        await follows(2)
        back = ("reset", "--type", "LastWorkflowTask", "--reason", "a trial")
        await press(*back)
        await follows(3)
        await press("terminate", "--reason", "a slip")
        await press(*back)
        await follows(4)
    assert [n.error for n in courier.noted] == [""] * len(courier.noted)
