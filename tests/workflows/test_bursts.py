"""Very many signals onto one order, without a gap: all are heard, and the order goes on as new runs meanwhile (N13)."""

import asyncio
from collections import Counter
from datetime import datetime

import pytest

from domain.facts import Fact, Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, two_parcel_order
from tests.workflows.play import Play
from tests.workflows.test_long_lives import length, runs
from workflows.durable import continuing

AT_A_TIME = 16
"""Senders; the relay has one signal of an order under way. With twice as many a busy server fails task after task."""


async def burst(play: Play, count: int, start: datetime) -> list[Fact]:
    """So many scans of the first parcel, a signal each, without a gap; every third is told twice."""
    scans = [
        fact(Kind.IN_TRANSIT, play.child(1), start).model_copy(update={"key": f"scan-{n - (n % 3 == 2)}"})
        for n in range(count)
    ]
    left = iter(scans)

    async def send() -> None:
        for scan in left:
            await play.signal(scan)

    await asyncio.gather(*(send() for _ in range(AT_A_TIME)))
    return scans


async def test_nothing_of_a_burst_is_lost_in_the_moves_to_new_runs(
    plays: Plays, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """`make longlives`: 30,000 of them, three times what one run may hear."""
    signals: int = request.config.getoption("--signals")
    monkeypatch.setattr(continuing, "MOST_EVENTS", min(signals // 6, continuing.MOST_EVENTS))
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1)
        scans = await burst(play, signals, await play.now())
        answered = await play.cancel()  # a person, in the middle of it
        assert answered.too_late == (play.child(1),)
        await play.rest()
        heard = Counter(e.key for e in play.world.account.events if e.key.startswith("scan-"))
        assert heard == Counter(s.key for s in scans), "every message has its row, also the repeated ones"
        first_told = {e.key: e.outcome.value for e in reversed(play.world.account.events) if e.key in heard}
        assert "DUPLICATE" not in first_told.values()
        lengths = [await length(play, run) for run in await runs(play)]
        assert len(lengths) > 2
        assert max(events for events, _ in lengths) < 10_000
        assert max(size for _, size in lengths) < 5_000_000
