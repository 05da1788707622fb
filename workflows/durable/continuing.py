"""A workflow that has grown long goes on as a new run with the same id: before the server would end it, and at a moment
at which nothing is under way (decision 0034)."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn, Protocol, TypeVar, runtime_checkable

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from workflows.durable.cancellation import refuses
from workflows.durable.carrying import Carried, carried, unpacked
from workflows.durable.raw_messages import read
from workflows.durable.seals import Seals

MOST_EVENTS = 2_000
"""Of one run. A signal is an event, an update at least two: this is far below 10,000 signals and 2,000 updates."""
MOST_BYTES = 3_000_000
"""However few events they are. A run begins with less than 2 MB, which is what Temporal takes as one message: it is not
over at once because of what it was handed."""
FEWEST_EVENTS = 500
"""The server may suggest to go on for reasons of its own: not before a run has done something."""
MOST_WAITED = 8_000
MOST_BYTES_WAITED = 4_500_000
"""A run stays for a parcel's stop that has no answer yet, and a person may take days: not beyond this."""
SIZE_COUNTS = "size counts at any number of events"
"""In runs that began before that, from `FEWEST_EVENTS` on."""
GOES_ON = "goes on as a new run"
NO_LONGER = "a run stays no longer than it has room"
AT_ONCE = "goes on at once, however much it is told"
"""The server refuses the move when something has come meanwhile. While the task after that runs it takes nothing more
(who sends is told that the workflow is closing, and sends again): that task gets through, if it ends with the move too.
"""
SILENCE = timedelta(seconds=1)
"""Of runs that began before that: they moved in a task in which nothing was heard, and waited for one."""

Answer = TypeVar("Answer")


class StepsUnderWay:
    """Steps that have an effect and have not been answered: while there is one, nobody knows what is left to do."""

    def __init__(self) -> None:
        self.count = 0
        self.heard_at = 0
        """How long the history was when a signal was heard last."""


@runtime_checkable
class CountsSteps(Protocol):
    """A workflow that goes on as a new run."""

    @property
    def steps(self) -> StepsUnderWay: ...


def _steps() -> StepsUnderWay:
    keeper = workflow.instance()
    return keeper.steps if isinstance(keeper, CountsSteps) else StepsUnderWay()


def signal_heard() -> None:
    """For the handler of signals."""
    _steps().heard_at = workflow.info().get_current_history_length()


def _heard_something() -> bool:
    """In this task."""
    return _steps().heard_at == workflow.info().get_current_history_length()


@contextmanager
def under_way() -> Iterator[None]:
    """While a step is."""
    steps = _steps()
    steps.count += 1
    try:
        yield
    finally:
        steps.count -= 1


def grown() -> bool:
    """The history is as long, or as large, as one run's should be."""
    info = workflow.info()
    length = info.get_current_history_length()
    if length >= MOST_EVENTS or (length >= FEWEST_EVENTS and info.is_continue_as_new_suggested()):
        return True
    return info.get_current_history_size() >= MOST_BYTES and _size_counts()


def _size_counts() -> bool:
    return workflow.info().get_current_history_length() >= FEWEST_EVENTS or workflow.patched(SIZE_COUNTS)


def full() -> bool:
    """There is no room for whatever keeps the run from moving on, or may be refused."""
    info = workflow.info()
    return info.get_current_history_length() >= MOST_WAITED or info.get_current_history_size() >= MOST_BYTES_WAITED


def stays_no_longer() -> bool:
    """For what keeps a run from moving on: it has to end without what it waits for."""
    return full() and _size_counts() and workflow.patched(NO_LONGER)


async def until_over(
    process: Coroutine[Any, Any, Answer],
    quiet: Callable[[], bool],
    go_on: Callable[[], NoReturn],
    refuse_cancellation: Callable[[], None],
) -> Answer:
    """The end of the process; or it goes on in a new run, and this one is over (`go_on` raises). The process is a task
    of its own: a request to cancel reaches this wait only, is told (`refuse_cancellation`), and the wait goes on."""
    running = asyncio.ensure_future(process)
    while True:
        try:
            return await _until_over(running, quiet, go_on)
        except BaseException as error:
            if running.done() or not refuses(error):
                raise
            refuse_cancellation()


async def _until_over(
    running: asyncio.Future[Answer], quiet: Callable[[], bool], go_on: Callable[[], NoReturn]
) -> Answer:
    may_go_on = True

    def due() -> bool:
        return may_go_on and grown() and quiet() and workflow.all_handlers_finished()

    while True:
        await workflow.wait_condition(lambda: running.done() or due())
        if running.done():
            return await running
        if await _still(lambda: due() and not running.done()):
            may_go_on = workflow.patched(GOES_ON)
            if may_go_on and not workflow.patched(AT_ONCE) and _heard_something():
                with suppress(TimeoutError):
                    await workflow.wait_condition(running.done, timeout=SILENCE, timeout_summary="a moment of silence")
            elif may_go_on:
                go_on()


async def _still(holds: Callable[[], bool]) -> bool:
    """Everybody whom the same moment has woken has gone on, and it holds all the same."""
    for _ in range(3):
        await workflow.wait_condition(lambda: True)
        if not holds():
            return False
    return True


@dataclass(frozen=True)
class Beginning:
    """`raw`: the start message. `seals`: what its signals need. `state`: of the run that this one goes on for; None: it
    is the first."""

    raw: RawValue
    seals: Seals
    state: Mapping[str, Any] | None = None

    def next_one(self, owner: Any) -> NoReturn:
        """This run is over, and the next begins with what `owner` knows."""
        workflow.continue_as_new(carried(owner, self.raw.payload.data.decode()))


def beginning(raw: RawValue) -> Beginning:
    """Whoever starts a workflow cannot give it a state: only the server says that a run goes on for another, and
    neither a retry nor a schedule of the starter's counts. Raises `ValueError` for a state that is not ours."""
    info = workflow.info()
    if info.continued_run_id is None or info.cron_schedule or info.attempt > 1:
        return Beginning(raw, Seals.of(raw))
    whole = unpacked(read(Carried, raw, "state of the run before"))
    start = Payload(metadata={"encoding": b"json/plain"}, data=whole.start.encode())
    return Beginning(RawValue(start), Seals.of(raw), whole.state)
