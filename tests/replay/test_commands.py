"""A change of the commands that workflow code makes cannot land unnoticed, also where no stored history walks."""

import json
from datetime import date

import pytest

from tests.replay.commands import ADVICE, RECORD, Commands, differences, of_record, of_sources, of_tree, record

ACTIVITIES = """
class Store:
    @activity.defn(name="store.save")
    async def save(self, message): ...
    @activity.defn(name="store.close")
    async def close(self, message): ...
"""
STEPS = """
from temporalio import workflow

async def in_store(activity, message):
    return await workflow.execute_local_activity_method(activity, message)
"""
ORDER = """
from workflows.steps import in_store

class Watch:
    def __init__(self, parcel: "Parcel") -> None:
        self.parcel = parcel

    async def wait(self) -> None:
        await workflow.wait_condition(lambda: self.parcel.gone)
        await self.parcel.close()

class Parcel:
    async def close(self) -> None:
        await in_store(Store.close, 1)

@workflow.defn(name="Order")
class Order:
    @workflow.run
    async def run(self) -> None:
        await in_store(Store.save, 1)
        if self.late:
            await self._end()
        await Watch(self.parcel).wait()

    async def _end(self) -> None:
        await workflow.execute_activity(Store.close, 1)
"""


def commands(order: str = ORDER, **more: str) -> Commands:
    rooms = {"workflows.order": order, **{f"workflows.{k}": v for k, v in ({"steps": STEPS} | more).items()}}
    return of_sources(rooms, [ACTIVITIES])


def changed(*edits: tuple[str, str], **more: str) -> str:
    order = ORDER
    for old, new in edits:
        assert old in order
        order = order.replace(old, new)
    return differences(commands(), commands(order, **more))


def test_workflow_code_makes_the_commands_that_are_recorded() -> None:
    found = differences(of_record(RECORD.read_text()), of_tree())
    assert not found, ADVICE.format(differences=found)


def test_the_record_says_when_and_why_it_was_last_changed() -> None:
    last = json.loads(RECORD.read_text())["last_change"]
    assert date.fromisoformat(last["date"]) and last["reason"].strip()


def test_every_way_into_every_workflow_is_recorded() -> None:
    kept = of_record(RECORD.read_text())
    assert {"Order: run run", "Return: run run", "DailyWorkflow: run run"} <= kept.entries.keys()
    lines = {line.strip() for key in kept.roots().values() for line in kept.whole(key)}
    assert {"local activity store.register", "activity wms.push", "signal stopped", "continue as new"} <= lines
    assert [line for line in lines if "{" in line or line.startswith("call ")] == []


def test_a_line_is_what_a_history_can_tell_apart() -> None:
    assert commands().whole("Order.run") == (
        "local activity store.save", "if", "  activity store.close", "wait", "local activity store.close",
    )  # fmt: skip


SAVE = "        await in_store(Store.save, 1)\n"
TIMER = "        await workflow.sleep(5)\n"
WAIT = "        await Watch(self.parcel).wait()\n"


@pytest.mark.parametrize(
    ("edit", "shown"),
    [
        pytest.param((SAVE, SAVE + TIMER), "+timer", id="a timer added"),
        pytest.param((SAVE, f"        if workflow.patched('p-1'):\n    {TIMER}{SAVE}"), "+patched p-1", id="a patch"),
        pytest.param((SAVE, ""), "-call in_store (activity=store.save)", id="an activity gone"),
        pytest.param(("Store.save", "Store.close"), "+call in_store (activity=store.close)", id="another activity"),
        pytest.param(("execute_activity(", "execute_local_activity("), "+local activity store.close", id="made local"),
        pytest.param(
            ("lambda: self.parcel.gone)", "lambda: self.parcel.gone, timeout=T)"), "+timer", id="a deadline for a wait"
        ),
        pytest.param((SAVE, f"        for _ in self.parcels:\n    {SAVE}"), "+loop", id="once for each"),
        pytest.param((WAIT, f"        asyncio.create_task(self._end())\n{WAIT}"), "+start", id="a branch started"),
        pytest.param((WAIT, f"{WAIT}        workflow.upsert_search_attributes([])\n"), "+upsert", id="an upsert"),
    ],
)
def test_a_changed_command_is_shown_with_its_function(edit: tuple[str, str], shown: str) -> None:
    found = changed(edit)
    assert shown in found
    assert found.count("--- ") == 1


def test_reordered_commands_are_shown() -> None:
    found = changed((SAVE, ""), (WAIT, WAIT + SAVE))
    assert "--- Order.run" in found
    assert "-call in_store (activity=store.save)" in found and "+call in_store (activity=store.save)" in found


def test_calls_that_change_places_are_shown() -> None:
    """Neither of the functions that are called has changed."""
    found = changed((WAIT, ""), (SAVE, SAVE + WAIT))
    assert "-call Watch.wait" in found and "+call Watch.wait" in found


def test_pure_renames_change_nothing() -> None:
    renames = (("_end", "_finish"), ("Watch", "ParcelWatch"), ("Parcel:", "Package:"), ('"Parcel"', '"Package"'))
    assert changed(*renames) == ""


def test_a_renamed_helper_of_steps_changes_nothing() -> None:
    renamed = of_sources({"workflows.order": ORDER.replace("in_store", "local"),
                          "workflows.steps": STEPS.replace("in_store", "local").replace("activity,", "what,").replace(
                              "method(activity", "method(what")}, [ACTIVITIES])  # fmt: skip
    assert differences(commands(), renamed) == ""


def test_moved_code_changes_nothing() -> None:
    start, end = ORDER.index("class Watch"), ORDER.index("@workflow.defn")
    moved = "from workflows.steps import in_store\n\n" + ORDER[start:end]
    assert changed((ORDER[start:end], "from workflows.parcels import Watch\n"), parcels=moved) == ""


def test_code_taken_out_into_a_function_of_its_own_changes_nothing() -> None:
    taken = (SAVE, "        await self._begin()\n")
    assert changed(taken, ("    async def _end", f"    async def _begin(self):\n{SAVE}\n    async def _end")) == ""


def test_where_a_function_runs_that_was_handed_over_is_shown() -> None:
    before = "async def guarded(call):\n    await call()\n    await workflow.sleep(1)\n"
    after = "async def guarded(call):\n    await workflow.sleep(1)\n    await call()\n"
    found = differences(commands(steps=STEPS + before), commands(steps=STEPS + after))
    assert "-timer" in found and "+timer" in found


def test_a_way_to_wait_that_callers_may_choose_is_a_wait() -> None:
    asks = "async def ask(*, wait=workflow.wait_condition):\n    await wait(lambda: True)\n"
    assert commands(steps=STEPS + asks).whole("ask") == ("wait",)


def test_functions_that_lead_to_each_other_read_the_same_whoever_is_asked_first() -> None:
    both = (
        "async def ping():\n    await workflow.sleep(1)\n    await pong()\n"
        "async def pong():\n    workflow.upsert_search_attributes([])\n    await ping()\n"
    )
    found = commands(steps=STEPS + both)
    assert found.whole("ping") == ("timer", "upsert search attributes", "again")
    assert found.whole("pong") == ("upsert search attributes", "timer", "again")


def test_a_change_beside_a_rename_shows_the_change_alone() -> None:
    found = changed(("_end", "_finish"), (WAIT, WAIT + TIMER))
    assert "+timer" in found
    assert "_end" not in found.replace("Order._finish", "")


def test_a_handler_that_comes_in_is_shown() -> None:
    found = changed(
        ("    async def _end", f"    @workflow.signal\n    async def halt(self):\n{TIMER}\n    async def _end")
    )
    assert "+++ Order.halt" in found and "+timer" in found


def test_what_is_written_is_read_back() -> None:
    kept = of_record(record(commands(), "first", "2026-11-29"))
    assert differences(kept, commands()) == "" and kept == commands()
