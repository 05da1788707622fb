"""The warehouse's surroundings: the label on the box, and the courier at the gate."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from sandbox.qimen.state import Order

AT_ONCE = 20


class PeerSystems:
    """`tms_url` and `kuaidi100_url` may be empty: then numbers are made up, and nobody collects."""

    def __init__(self, tms_url: str, kuaidi100_url: str) -> None:
        self._tms_url, self._kuaidi100_url = tms_url, kuaidi100_url
        self._http: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def open(self) -> None:
        self._http = httpx.AsyncClient(timeout=5.0, trust_env=False)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()

    def ask_label(self, order: Order, then: Callable[[tuple[str, str] | None], None]) -> None:
        """`then` gets (waybill_no, carrier), or None while there is no label."""

        async def ask() -> None:
            then(await self._label(order))

        self._spawn(ask())

    def hand_over(self, order: Order, then: Callable[[bool], None]) -> None:
        """`then` gets whether the courier took the parcel."""

        async def hand() -> None:
            then(await self._handed(order))

        self._spawn(hand())

    async def _label(self, order: Order) -> tuple[str, str] | None:
        if not self._tms_url:
            return f"QM{int(order.number[1:]):012d}", "YTO"
        told = await self._call("GET", f"{self._tms_url}/_world/shipments/{order.code}")
        return (str(told["waybill_no"]), str(told["carrier"])) if told else None

    async def _handed(self, order: Order) -> bool:
        if not self._kuaidi100_url:
            return True
        parcel = {"waybill_no": order.waybill_no, "carrier": order.carrier, "child_no": order.code}
        return await self._call("POST", f"{self._kuaidi100_url}/_world/handover", json=parcel) is not None

    async def _call(self, method: str, url: str, **more: Any) -> dict[str, Any] | None:
        assert self._http is not None
        try:
            async with self._turns:  # a thousand that wait inside the client time out there, and none gets through
                reply = await self._http.request(method, url, **more)
            told = reply.json() if reply.is_success else None
        except (httpx.HTTPError, ValueError):
            return None
        return told if isinstance(told, dict) else None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
