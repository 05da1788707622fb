"""Micro-batches: many requests, one transaction. Whoever adds a row hears of it only after the commit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

Row = TypeVar("Row")
Result = TypeVar("Result")


class Overloaded(Exception):
    """More rows wait than the batch will hold: the sender has to come again later."""


class Batch(Generic[Row, Result]):
    """Collects rows while the previous commit is under way, then writes them together.

    `write` takes rows and returns one result a row, in order. Without `linger_s` no waiting is added: a lone row is
    written at once.
    A write that fails for more than one row is repeated row by row, so that one bad row cannot refuse the others.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Row]], Awaitable[Sequence[Result]]],
        *,
        most: int = 200,
        pending: int = 5_000,
        write_s: float = 4.0,
        linger_s: float = 0.0,
    ) -> None:
        self._write = write
        self._most = most
        self._write_s = write_s
        self._linger_s = linger_s
        self._queue: asyncio.Queue[tuple[Row, asyncio.Future[Result]]] = asyncio.Queue(pending)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="batch")

    async def stop(self) -> None:
        """Finish what was added, then end."""
        if self._task is None:
            return
        await self._queue.join()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def add(self, row: Row) -> Result:
        """The row's result, once it is committed. Raises `Overloaded`, `TimeoutError` or what `write` raised.

        After a `TimeoutError` the row may still get written: adding it again has to be harmless.
        """
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((row, done))
        except asyncio.QueueFull:
            raise Overloaded(f"{self._queue.qsize()} rows are waiting to be stored; try again later") from None
        async with asyncio.timeout(self._linger_s + self._write_s):
            return await done

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            if self._linger_s:
                await asyncio.sleep(self._linger_s)
            while len(batch) < self._most and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._settle(batch)
            for _ in batch:
                self._queue.task_done()

    async def _settle(self, batch: list[tuple[Row, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._written([row for row, _ in batch])
        except (OSError, TimeoutError) as outage:
            _fail(batch, outage)
        except Exception as failure:
            await self._settle_singly(batch, failure)
        else:
            for (_, done), result in zip(batch, results, strict=True):
                if not done.done():
                    done.set_result(result)

    async def _settle_singly(self, batch: list[tuple[Row, asyncio.Future[Result]]], failure: Exception) -> None:
        if len(batch) == 1:
            _fail(batch, failure)
            return
        for i, one in enumerate(batch):
            await self._settle([one])
            if i == _GIVE_UP_AFTER and all(_failed(done) for _, done in batch[: i + 1]):
                _fail(batch, failure)
                return

    async def _written(self, rows: Sequence[Row]) -> Sequence[Result]:
        async with asyncio.timeout(self._write_s):
            return await self._write(rows)


_GIVE_UP_AFTER = 2
"""When the first three rows fail one by one, it is not the rows."""


def _failed(done: asyncio.Future[Result]) -> bool:
    return done.done() and not done.cancelled() and done.exception() is not None


def _fail(batch: list[tuple[Row, asyncio.Future[Result]]], why: Exception) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(why)
