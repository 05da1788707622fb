"""A receiver of callbacks for tests: keeps every request, answers as told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass(frozen=True)
class Got:
    headers: dict[str, str]
    body: bytes


class CallbackSink:
    """`answers`: (status, body) of the first requests; afterwards `usual`."""

    def __init__(self, usual: tuple[int, bytes] = (204, b"")) -> None:
        self.got: list[Got] = []
        self.answers: list[tuple[int, bytes]] = []
        self._usual = usual

    def app(self) -> Starlette:
        async def hook(request: Request) -> Response:
            self.got.append(Got(dict(request.headers), await request.body()))
            status, body = self.answers.pop(0) if self.answers else self._usual
            return Response(body, status_code=status)

        return Starlette(routes=[Route("/hook", hook, methods=["POST"])])


async def until(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.01)
