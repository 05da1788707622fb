"""Whether the process lives, and whether it can show anything."""

from asyncpg import InterfaceError, PostgresError
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from console.wiring import wiring_of

router = APIRouter()


@router.get("/healthz")
async def healthy() -> Response:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def ready(request: Request) -> Response:
    try:
        await wiring_of(request).pool.fetchval("SELECT 1", timeout=3)
    except (PostgresError, InterfaceError, OSError, TimeoutError):
        return PlainTextResponse("the books do not answer\n", 503)
    return PlainTextResponse("ready\n")
