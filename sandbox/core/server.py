"""A real uvicorn server on loopback, in this process; and an app that can cut its own connection."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class SandboxApp(Starlette):
    """Starlette that lets a response reach the raw connection, for the fault `reset`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's `send` is a method of its request cycle, which holds the transport; ASGI has no word for "hang up".
        scope["sandbox.transport"] = getattr(getattr(send, "__self__", None), "transport", None)
        await super().__call__(scope, receive, send)


class HeaderName(bytes):
    """A header's name that goes over the wire as it is written. The server would send it in small letters, as HTTP
    allows; there are SDKs that look a header up by its exact name."""

    def lower(self) -> "HeaderName":
        return self


class CutConnection(Response):
    """Not a byte of reply: the connection is dropped."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope.get("sandbox.transport")
        if transport is None:
            raise RuntimeError("the fault `reset` needs a real uvicorn server")
        transport.abort()
        while (await receive())["type"] != "http.disconnect":  # returning earlier would make uvicorn send a 500
            pass


class _Server(uvicorn.Server):
    """Leaves the process's signal handlers alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@contextlib.asynccontextmanager
async def serve(app: Starlette, port: int = 0) -> AsyncIterator[str]:
    """Serve `app` on 127.0.0.1 until the block ends; yields its URL. Port 0 takes a free one."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, proxy_headers=False, timeout_graceful_shutdown=1, lifespan="on"
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the sandbox server ended while starting")
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task
        sock.close()
