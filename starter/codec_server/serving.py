"""The codec server behind uvicorn, with every limit set. It stands behind a proxy or on loopback: what a header says of
the caller (X-Forwarded-For, -Proto, -Host, Forwarded) is read nowhere, so there are no hops to configure."""

from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from bounded_http import HeadLimits, bounded

STOP_S = 5


@dataclass(frozen=True)
class CodecLimits(HeadLimits):
    connections: int = 64
    """A few people with a few pages each, and the `temporal` command."""


def door(app: Starlette, host: str, port: int, limits: CodecLimits | None = None) -> uvicorn.Config:
    limits = limits or CodecLimits()
    return uvicorn.Config(
        app, host=host, port=port, http=bounded(limits), ws="none", lifespan="off", proxy_headers=False,
        server_header=False, access_log=False, log_config=None, limit_concurrency=limits.connections,
        timeout_keep_alive=int(limits.keep_alive_s), timeout_graceful_shutdown=STOP_S,
    )  # fmt: skip
