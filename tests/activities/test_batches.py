"""A batch over its attempts: what has ended is never called again, what may have been done stays so until it is."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.messages import Failure, Outbound, PushBatch, Pushed, PushOutcome
from activities.provider_errors import each
from domain.order import Address
from providers.errors import ProviderError, Refused, Unavailable, UnknownOutcome

TO = Address(recipient="Li Lei", phone="13800000000", province="浙江省", city="杭州市", street="1 Road")
DONE, BUSY, LOST, NO = (
    None,
    Unavailable("qimen", "429", "throttled"),
    UnknownOutcome("qimen", "TIMEOUT", "no answer"),
    Refused("qimen", "S004", "no such item"),
)
Answer = ProviderError | None


class Died(BaseException):
    """The worker of an attempt."""


class Batch:
    """Items and what the warehouse answers to each call of each; heartbeats are kept as the server would."""

    def __init__(self, **answers: list[Answer | Died]) -> None:
        self.calls: Counter[str] = Counter()
        self._answers = answers
        self.details: list[Any] = []
        self._attempt = 0

    async def attempt(self) -> dict[str, str]:
        """By child: `done`, or how it failed."""
        self._attempt += 1
        env = ActivityEnvironment()
        env.on_heartbeat = self._keep
        env.info = replace(env.info, attempt=self._attempt, heartbeat_details=list(self.details))
        items = tuple(_item(name) for name in self._answers)
        call = PushBatch(backoff_s=(5, 10, 20), items=items)
        try:
            outcomes: tuple[PushOutcome, ...] = await env.run(each, call, items, self._push, _outcome)
        except ApplicationError as error:
            outcomes = error.details[0]
        return {o.child_no: o.failed.outcome if o.failed else "done" for o in outcomes}

    async def last(self, attempts: int = 4) -> dict[str, str]:
        for _ in range(attempts - 1):
            await self.attempt()
        return await self.attempt()

    def _keep(self, *details: Any) -> None:
        self.details = list(details)

    async def _push(self, item: Outbound) -> Pushed:
        n = self.calls[item.child_no]
        self.calls[item.child_no] += 1
        answer = self._answers[item.child_no][n]
        if answer is not None:
            raise answer
        return Pushed(wms_ref=f"W-{item.child_no}-{n}")


def _item(name: str) -> Outbound:
    return Outbound(
        child_no=name, order_no="SO1", warehouse="HZ", placed_at=datetime(2026, 11, 1, tzinfo=UTC), address=TO, lines=()
    )


def _outcome(item: Outbound, done: Pushed | None, failed: Failure | None) -> PushOutcome:
    return PushOutcome(child_no=item.child_no, done=done, failed=failed)


async def test_what_is_done_once_is_done_in_every_later_attempt_and_not_called_again() -> None:
    batch = Batch(A=[DONE, BUSY, BUSY, BUSY], B=[BUSY] * 4)
    assert [await batch.attempt() for _ in range(4)] == [{"A": "done", "B": "retry"}] * 4
    assert batch.calls == {"A": 1, "B": 4}


async def test_what_was_refused_is_not_called_again() -> None:
    batch = Batch(A=[NO], B=[BUSY, DONE])
    assert [await batch.attempt(), await batch.attempt()] == [
        {"A": "refused", "B": "retry"},
        {"A": "refused", "B": "done"},
    ]
    assert batch.calls == {"A": 1, "B": 2}


@pytest.mark.parametrize(
    ("answers", "last"),
    [
        ([LOST, BUSY, BUSY, BUSY], "unknown"),
        ([LOST, NO], "unknown"),
        ([BUSY, LOST, BUSY, NO], "unknown"),
        ([BUSY, NO], "refused"),
        ([LOST, DONE], "done"),
        ([BUSY, BUSY, BUSY, BUSY], "retry"),
    ],
    ids=["then busy", "then refused", "in the middle", "never unknown", "then done", "always busy"],
)
async def test_an_attempt_without_an_answer_is_only_ended_by_one_that_is_done(answers: list[Answer], last: str) -> None:
    batch = Batch(A=[*answers], B=[BUSY] * 4)
    assert (await batch.last())["A"] == last


async def test_a_worker_that_dies_leaves_open_only_what_had_no_answer_yet() -> None:
    batch = Batch(A=[DONE], B=[BUSY] * 4, C=[BUSY, Died(), BUSY, BUSY], D=[NO])
    assert await batch.attempt() == {"A": "done", "B": "retry", "C": "retry", "D": "refused"}
    with pytest.raises(Died):
        await batch.attempt()
    assert await batch.attempt() == {"A": "done", "B": "retry", "C": "unknown", "D": "refused"}
    assert batch.calls == {"A": 1, "B": 3, "C": 3, "D": 1}


async def test_a_worker_that_dies_without_a_word_leaves_open_whatever_had_not_ended() -> None:
    batch = Batch(A=[DONE], B=[BUSY] * 3, C=[BUSY, Died(), BUSY])
    await batch.attempt()
    said = list(batch.details)
    with pytest.raises(Died):
        await batch.attempt()
    batch.details = said
    assert await batch.attempt() == {"A": "done", "B": "unknown", "C": "unknown"}
