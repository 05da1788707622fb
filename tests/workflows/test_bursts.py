"""Very many signals onto one order, without a gap: all are heard, and the order goes on as new runs meanwhile (N13)."""

import asyncio
from collections import Counter
from datetime import datetime

import pytest
from temporalio.service import RPCError

from domain.facts import Fact, Kind
from relay.delivery.signalling import SignalResult, verdict_of
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, two_parcel_order
from tests.workflows.play import Play
from tests.workflows.test_long_lives import length, runs
from workflows.durable import continuing


async def taken(play: Play, scan: Fact) -> bool:
    """False: it takes nothing at this moment, as the relay reads it (`BUSY`)."""
    try:
        await play.signal(scan)
    except RPCError as error:
        if verdict_of(error).sent is not SignalResult.BUSY:
            raise
        return False
    return True


async def burst(play: Play, count: int, senders: int, start: datetime) -> list[Fact]:
    """So many scans of the first parcel, a signal each, without a gap; every third is told twice."""
    scans = [
        fact(Kind.IN_TRANSIT, play.child(1), start).model_copy(update={"key": f"scan-{n - (n % 3 == 2)}"})
        for n in range(count)
    ]
    left = iter(scans)

    async def send() -> None:
        for scan in left:
            while not await taken(play, scan):
                await asyncio.sleep(0.05)

    await asyncio.gather(*(send() for _ in range(senders)))
    return scans


async def test_nothing_of_a_burst_is_lost_in_the_moves_to_new_runs(
    plays: Plays, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """`make longlives`: 30,000 of them, three times what one run may hear, from 64 senders."""
    signals: int = request.config.getoption("--signals")
    senders: int = request.config.getoption("--senders")
    monkeypatch.setattr(continuing, "MOST_EVENTS", min(signals // 6, continuing.MOST_EVENTS))
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.ships(1)
        scans = await burst(play, signals, senders, await play.now())
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
