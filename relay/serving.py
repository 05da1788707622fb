"""The relay behind uvicorn, with every limit set."""

import uvicorn
from starlette.applications import Starlette

from relay.limits import Limits
from relay.wire import bounded

STOP_S = 10


def server(app: Starlette, limits: Limits, host: str, port: int) -> uvicorn.Server:
    """One process, one loop. `serve()` returns after SIGTERM, when the last request is answered or `STOP_S` is over."""
    return uvicorn.Server(
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
