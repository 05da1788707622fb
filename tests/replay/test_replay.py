"""Code that cannot carry on the orders that are open is caught before it is deployed (docs/requirements.md, W3)."""

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.replay.changes import CHANGES
from tests.replay.returns import CASES
from tests.replay.stories import STORIES
from workflows.durable.raw_messages import NO_ARGUMENT
from workflows.loops.courier_subscription import FollowParcelsWorkflow
from workflows.loops.polling import PullWorkflow
from workflows.loops.reconciliation import DailyWorkflow
from workflows.order.workflow import Order
from workflows.returns.workflow import Return

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
LOOPS = ("reconcile", "pull", "daily")
EVERY = (Order, Return, FollowParcelsWorkflow, PullWorkflow, DailyWorkflow)
LARGEST = 200_000
"""Bytes: a history is read by people, too, when it stops replaying."""


def read(path: Path) -> WorkflowHistory:
    kept = json.loads(path.read_text())
    return WorkflowHistory.from_json(kept["workflow_id"], {"events": kept["events"]})


def replayer(*workflows: type) -> Replayer:
    return Replayer(workflows=workflows, data_converter=pydantic_data_converter, build_id="tests")


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_the_code_as_it_is_carries_on_every_kind_of_order(path: Path) -> None:
    result = await replayer(*EVERY).replay_workflow(read(path))
    assert result.replay_failure is None


def test_every_kind_of_life_has_its_history() -> None:
    assert {path.stem for path in HISTORIES} == {*STORIES, *LOOPS, *CASES, *CHANGES}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_history_is_whole_small_and_names_no_machine(path: Path) -> None:
    text = path.read_text()
    assert len(text) <= LARGEST and "stackTrace" not in text and "/site-packages/" not in text
    last = json.loads(text)["events"][-1]["eventType"]
    assert last in ("EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED", "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW")


@workflow.defn(name="Order", sandboxed=False)
class ChangedOrder(Order):
    """The order with one more wait at its start: the kind of change that strands open orders."""

    @workflow.init
    def __init__(self, raw: RawValue = NO_ARGUMENT) -> None:
        super().__init__(raw)

    @workflow.run
    async def run(self, raw: RawValue = NO_ARGUMENT) -> str:
        await workflow.sleep(1)
        return await super().run(raw)


async def test_a_changed_workflow_is_caught() -> None:
    for path in HISTORIES:
        if path.stem in {*STORIES, *CHANGES}:
            with pytest.raises(workflow.NondeterminismError):
                await replayer(ChangedOrder).replay_workflow(read(path))
