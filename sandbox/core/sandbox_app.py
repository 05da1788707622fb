"""One sandbox's parts put together: journal, faults, callbacks, timers and the Starlette app with its admin routes."""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.core.callbacks import Accepted, Address, Outbox, Render
from sandbox.core.faults import HTTP_FAULTS, Fault, Faults, UnableToArm
from sandbox.core.ledger import Ledger
from sandbox.core.server import CutConnection, SandboxApp
from sandbox.core.settings import Settings

HANG_S = 60.0

Fail = Callable[[int], Response]
"""An error reply in the provider's own words, for statuses 429 and 500."""


def plain_failure(status: int) -> Response:
    return PlainTextResponse("failure on demand", status_code=status)


def any_2xx(status: int, body: bytes) -> bool:
    return 200 <= status < 300


class Sandbox:
    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        schedule: Sequence[float],
        render: Render,
        accepted: Accepted = any_2xx,
        address: Address | None = None,
        fail: Fail = plain_failure,
        own_faults: Collection[str] = (),
    ) -> None:
        self.name, self.settings, self.clock = name, settings, settings.clock
        path = settings.data_dir / f"{name}.jsonl" if settings.data_dir else None
        self.ledger = Ledger(path, settings.clock)
        self.faults = Faults(own_faults, self._fired)
        self.outbox = Outbox(
            self.ledger,
            self.faults,
            schedule=schedule,
            speed=settings.speed,
            render=render,
            accepted=accepted,
            address=address,
        )
        self._fail = fail
        self._timers: set[asyncio.TimerHandle] = set()

    async def play(self, operation: str, ids: Mapping[str, str], work: Callable[[], Response]) -> Response:
        """Do `work` (commit and build the reply, without awaiting anything) under the armed HTTP fault, if any."""
        fault = self.faults.take(operation, ids, only=HTTP_FAULTS)
        if fault is None:
            return work()
        if fault.fault == "error_before":
            return self._fail(500)
        if fault.fault == "too_many":
            reply = self._fail(429)
            reply.headers["Retry-After"] = str(round(fault.delay_s or 1))
            return reply
        return await self._after(fault, work())

    def _fired(self, fault: Fault, operation: str, ids: Mapping[str, str]) -> None:
        order_no = ids.get("order_no", "")
        self.ledger.add("fault", order_no=order_no, fault=fault.fault, operation=operation, ids=dict(ids))

    async def _after(self, fault: Fault, reply: Response) -> Response:
        if fault.fault == "error_after":
            return self._fail(500)
        if fault.fault == "garbage":
            return Response(b"<html>\x00 not what you asked for", media_type="text/html")
        if fault.fault == "reset":
            return CutConnection()
        await asyncio.sleep(HANG_S if fault.delay_s is None else fault.delay_s)
        return reply

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call after `delay_s` / speed. Not journaled: what must survive a restart is re-armed in `on_start`."""

        def run() -> None:
            self._timers.discard(handle)
            call()

        handle = asyncio.get_running_loop().call_later(delay_s / self.settings.speed, run)
        self._timers.add(handle)

    def app(
        self,
        routes: Sequence[BaseRoute],
        on_start: Callable[[], None] | Callable[[], Awaitable[None]] | None = None,
        on_stop: Callable[[], Awaitable[None]] | None = None,
    ) -> Starlette:
        """The provider's routes and the admin ones; `on_start` runs inside the event loop before the first request,
        `on_stop` before the journal is closed."""

        @contextlib.asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            # trust_env off: a proxy setting of the machine must not carry loopback traffic away
            async with httpx.AsyncClient(timeout=10.0, trust_env=False) as http:
                self.outbox.start(http)
                started = on_start() if on_start else None
                if inspect.isawaitable(started):
                    await started
                yield
                for timer in self._timers:
                    timer.cancel()
                if on_stop:
                    await on_stop()
                await self.outbox.stop()
            self.ledger.close()

        admin = [
            Route("/_health", self._health),
            Route("/_ledger", self._ledger),
            Route("/_faults", self._faults, methods=["GET", "POST", "DELETE"]),
        ]
        return SandboxApp(routes=[*admin, *routes], lifespan=lifespan)

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"sandbox": self.name, "rows": len(self.ledger.rows), "speed": self.settings.speed})

    async def _ledger(self, request: Request) -> Response:
        asked = request.query_params
        rows = self.ledger.find(
            op=asked.get("op", ""),
            key=asked.get("key", ""),
            order_no=asked.get("order_no", ""),
            after=int(asked.get("after", "0")),
        )
        return JSONResponse([asdict(r) for r in rows])

    async def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "POST":
            try:
                self.faults.arm_json(await request.body())
            except UnableToArm as e:
                return JSONResponse({"error": str(e)}, status_code=422)
        return JSONResponse(self.faults.as_json())
