"""Callbacks as a provider sends them: at least once, on a retry schedule, journaled, continued after a restart."""

import asyncio
import contextlib
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.core.faults import HTTP_FAULTS, Faults
from sandbox.core.ledger import Ledger

REPLY_WITHIN_S = 5.0
CONCURRENT = 32
HELD_AT_MOST_S = 5.0


@dataclass(frozen=True)
class Delivery:
    """One callback on its way. `payload` is what happened, as `render` needs it; `attempt` counts from 0."""

    id: str
    kind: str
    url: str
    payload: dict[str, Any]
    order_no: str = ""
    fault: str = ""
    fault_delay_s: float | None = None
    attempt: int = 0


Render = Callable[[Delivery], tuple[Mapping[str, str], bytes]]
"""Signs afresh for every attempt, as providers do: headers and body."""
Accepted = Callable[[int, bytes], bool]
Address = Callable[[Delivery, bytes], str]
"""For providers that sign in the query string: the whole URL of one attempt with that body."""


class Outbox:
    """`schedule`: seconds to wait before attempts 2, 3, …, divided by `speed`."""

    def __init__(
        self,
        ledger: Ledger,
        faults: Faults,
        *,
        schedule: Sequence[float],
        speed: float,
        render: Render,
        accepted: Accepted,
        address: Address | None = None,
    ) -> None:
        self._ledger, self._faults = ledger, faults
        self._schedule, self._speed = tuple(schedule), speed
        self._render, self._accepted = render, accepted
        self._address: Address = address or (lambda delivery, _body: delivery.url)
        self._http: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, list[asyncio.Event]] = defaultdict(list)

    def post(
        self,
        kind: str,
        url: str,
        payload: dict[str, Any],
        *,
        order_no: str = "",
        ids: Mapping[str, str] | None = None,
        callback_id: str | None = None,
        amount_minor: int | None = None,
    ) -> str:
        """Journal a callback and start delivering it; returns its id. Faults match on `ids`, order_no and kind."""
        names = {"order_no": order_no, "kind": kind, **(ids or {})}
        fault = self._faults.take("callback", names, only=self._faults.known - HTTP_FAULTS)
        delivery = Delivery(
            callback_id or uuid.uuid4().hex,
            kind,
            url,
            payload,
            order_no,
            fault.fault if fault else "",
            fault.delay_s if fault else None,
        )
        self._journal(delivery, amount_minor)
        self._begin(delivery)
        return delivery.id

    def start(self, http: httpx.AsyncClient) -> None:
        """Take the client and continue what a former process left unfinished."""
        self._http = http
        ended = {r.key for r in self._ledger.rows if r.op == "callback_end"}
        tried: dict[str, int] = defaultdict(int)
        for row in self._ledger.rows:
            if row.op == "callback_attempt":
                tried[row.key] += 1
        for row in [r for r in self._ledger.rows if r.op == "callback" and r.key not in ended]:
            self._begin(Delivery(id=row.key, order_no=row.order_no, attempt=tried[row.key], **row.data))

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _journal(self, d: Delivery, amount_minor: int | None) -> None:
        self._ledger.add(
            "callback",
            key=d.id,
            order_no=d.order_no,
            amount_minor=amount_minor,
            kind=d.kind,
            url=d.url,
            payload=d.payload,
            fault=d.fault,
            fault_delay_s=d.fault_delay_s,
        )

    def _begin(self, delivery: Delivery) -> None:
        if delivery.fault == "lost_callback" or not delivery.url:
            self._end(delivery, "lost" if delivery.url else "no_address")
            return
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, d: Delivery) -> None:
        overtakes = tuple(self._held.get(d.order_no, ()))  # not what is held while this one is on its way already
        await self._hold(d)
        for attempt in range(d.attempt, len(self._schedule) + 1):
            wait_s = self._schedule[attempt - 1] if attempt else 0.0
            await asyncio.sleep(wait_s / self._speed)
            accepted = await self._attempt(d, attempt, wait_s)
            self._release(d.order_no, overtakes)
            if accepted:
                if d.fault == "duplicate_callback":
                    await self._attempt(d, attempt, 0.0)
                self._end(d, "delivered")
                return
        self._end(d, "abandoned")

    async def _attempt(self, d: Delivery, attempt: int, wait_s: float) -> bool:
        assert self._http is not None
        now = Delivery(d.id, d.kind, d.url, d.payload, d.order_no, d.fault, d.fault_delay_s, attempt)
        status, body = 0, b""
        async with self._slots:
            headers, content = self._render(now)
            began = time.monotonic()
            with contextlib.suppress(httpx.HTTPError, TimeoutError):
                async with asyncio.timeout(REPLY_WITHIN_S):
                    url = self._address(now, content)
                    reply = await self._http.post(url, headers=dict(headers), content=content)
                status, body = reply.status_code, reply.content
            took_s = time.monotonic() - began
        accepted = self._accepted(status, body)
        self._ledger.add(
            "callback_attempt",
            key=d.id,
            order_no=d.order_no,
            n=attempt,
            wait_s=wait_s,
            status=status,
            accepted=accepted,
            took_s=round(took_s, 4),
        )
        return accepted

    async def _hold(self, d: Delivery) -> None:
        """Late, or behind the next callback of the same order."""
        if d.attempt or d.fault not in ("delay_callback", "reorder_callback"):
            return
        limit_s = HELD_AT_MOST_S if d.fault_delay_s is None else d.fault_delay_s
        if d.fault == "delay_callback":
            await asyncio.sleep(limit_s)
            return
        overtaken = asyncio.Event()
        self._held[d.order_no].append(overtaken)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(overtaken.wait(), limit_s)

    def _release(self, order_no: str, overtaken: Sequence[asyncio.Event]) -> None:
        for event in overtaken:
            event.set()
        left = [event for event in self._held.get(order_no, ()) if not event.is_set()]
        self._held.pop(order_no, None)
        if left:
            self._held[order_no] = left

    def _end(self, d: Delivery, state: str) -> None:
        self._ledger.add("callback_end", key=d.id, order_no=d.order_no, state=state)
