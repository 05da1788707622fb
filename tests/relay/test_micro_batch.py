"""Micro-batches: one commit for many, an answer for each, and no answer before the commit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from relay.micro_batch import Batch, Overloaded


class Writer:
    """Doubles numbers; refuses odd ones; holds the first write back until told."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.outage: Exception | None = None

    async def write(self, rows: Sequence[int]) -> list[int]:
        await self.go.wait()
        self.writes.append(list(rows))
        if self.outage:
            raise self.outage
        if any(row % 2 for row in rows):
            raise ValueError("odd")
        return [2 * row for row in rows]


@asynccontextmanager
async def started(batch: Batch[int, int]) -> AsyncIterator[Batch[int, int]]:
    batch.start()
    yield batch
    await batch.stop()


async def test_rows_that_come_during_a_commit_share_the_next() -> None:
    writer = Writer()
    writer.go.clear()
    async with started(Batch(writer.write)) as batch:
        adding = [asyncio.create_task(batch.add(n)) for n in (0, 2, 4, 6)]
        await asyncio.sleep(0)
        writer.go.set()
        assert await asyncio.gather(*adding) == [0, 4, 8, 12]
    assert len(writer.writes) <= 2


async def test_a_batch_that_lingers_writes_together_what_comes_meanwhile() -> None:
    writer = Writer()
    async with started(Batch(writer.write, linger_s=0.05)) as batch:
        first = asyncio.create_task(batch.add(0))
        await asyncio.sleep(0)  # the batch holds it
        assert list(await asyncio.gather(first, batch.add(2), batch.add(4))) == [0, 4, 8]
    assert writer.writes == [[0, 2, 4]]


async def test_one_bad_row_is_refused_alone() -> None:
    writer = Writer()
    async with started(Batch(writer.write)) as batch:
        results = await asyncio.gather(*(batch.add(n) for n in (2, 3, 4)), return_exceptions=True)
    assert results[0] == 4
    assert isinstance(results[1], ValueError)
    assert results[2] == 8


async def test_an_outage_fails_all_at_once_without_trying_each() -> None:
    writer = Writer()
    writer.outage = OSError("gone")
    async with started(Batch(writer.write)) as batch:
        results = await asyncio.gather(*(batch.add(n) for n in range(100)), return_exceptions=True)
    assert all(isinstance(r, OSError) for r in results)
    assert len(writer.writes) <= 2


async def test_when_every_row_fails_the_rest_is_not_tried() -> None:
    writer = Writer()
    writer.outage = RuntimeError("the table is gone")
    async with started(Batch(writer.write)) as batch:
        results = await asyncio.gather(*(batch.add(n) for n in range(100)), return_exceptions=True)
    assert all(isinstance(r, RuntimeError) for r in results)
    assert len(writer.writes) < 10


async def test_a_write_that_hangs_is_given_up() -> None:
    writer = Writer()
    writer.go.clear()
    async with started(Batch(writer.write, write_s=0.05)) as batch:
        with pytest.raises(TimeoutError):
            await batch.add(2)


async def test_too_many_waiting_rows_are_turned_away_at_once() -> None:
    writer = Writer()
    writer.go.clear()
    async with started(Batch(writer.write, pending=3)) as batch:
        under_way = asyncio.create_task(batch.add(2))
        await asyncio.sleep(0.01)
        waiting = [asyncio.create_task(batch.add(4)) for _ in range(3)]
        await asyncio.sleep(0.01)
        with pytest.raises(Overloaded):
            await batch.add(6)
        writer.go.set()
        assert await asyncio.gather(under_way, *waiting) == [4, 8, 8, 8]


async def test_whoever_waits_behind_a_hanging_commit_waits_no_longer_than_for_one() -> None:
    writer = Writer()
    writer.go.clear()
    async with started(Batch(writer.write, write_s=0.2)) as batch:
        adding = [asyncio.create_task(batch.add(2))]
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        adding.append(asyncio.create_task(batch.add(4)))
        assert all(isinstance(r, TimeoutError) for r in await asyncio.gather(*adding, return_exceptions=True))
        assert asyncio.get_running_loop().time() - began < 0.3
        writer.go.set()


async def test_stopping_finishes_what_was_added() -> None:
    writer = Writer()
    writer.go.clear()
    batch: Batch[int, int] = Batch(writer.write)
    batch.start()
    adding = asyncio.create_task(batch.add(2))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(batch.stop())
    writer.go.set()
    assert await adding == 4
    await stopping
