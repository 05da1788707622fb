"""The relay behind uvicorn, with every limit set."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from bounded_http import bounded
from relay.inbound.limits import Limits

STOP_S = 10


class Server(uvicorn.Server):
    """Returns from `serve()` after SIGTERM or SIGINT; uvicorn itself would end the process, uncleaned."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def server(app: Starlette, limits: Limits, host: str, port: int) -> Server:
    """One process, one loop. `serve()` ends when the last request is answered or `STOP_S` is over."""
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=bounded(limits),
            ws="none",
            lifespan="on",
            # Forwarded addresses are read by `Addresses`, from configured proxies only.
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=int(limits.keep_alive_s),
            timeout_graceful_shutdown=STOP_S,
            limit_concurrency=limits.connections,
        )
    )
