"""A change is done once under its caller's key, and told again to whoever asks with the same key (docs/api.md)."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from console.api.callers import Caller
from console.api.problems import MEDIA, ApiProblem
from console.api.refusals import as_problem
from domain.access.desk import DeskTask
from domain.strict import Strict
from starter.clients.errors import OrderError
from store.console.api_requests import ApiRequestStore, Mine, SaidOtherwise, Told, UnderWay

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key", pattern=r"^[\x21-\x7e]{1,100}$",
        description="Your own key of this change: told again, it has the first answer, for seven days at least.",
    ),
]  # fmt: skip
REPLAYED = {"idempotent-replayed": "true"}
Act = Callable[[int], Awaitable[BaseModel | None]]
"""Does it. Its argument: which attempt it is; over 1, one before may have done it, or a part of it."""


def own_key(caller: Caller, key: str) -> str:
    """As the workflows know it: nobody else's is the same."""
    return hashlib.sha256(f"{caller.id} {key}".encode()).hexdigest()[:40]


def own_number(caller: Caller, key: str, work: DeskTask, attempt: int) -> int:
    """Of the workflow that does it: another one each attempt, for the one before may have done nothing. What it does
    twice counts once (a receipt, a payment), or is the same (a record)."""
    said = f"{own_key(caller, key)} {work.kind} {attempt}"
    return int(hashlib.sha256(said.encode()).hexdigest(), 16) % 10**12


async def once(
    request: Request, caller: Caller, key: str, message: Strict | None, status: int, act: Act, more: bytes = b""
) -> Response:
    """`more`: what was sent beside the message. Raises `ApiProblem` for what is not kept."""
    store, now = ApiRequestStore(caller.wiring.pool), caller.wiring.now()
    said = _hash_of(request, message, more)
    try:
        claim = await store.claim(caller.id, key, said, now)
    except SaidOtherwise:
        why = "this key was used for another request; a new change takes a new key"
        raise ApiProblem(422, "KEY_REUSED", why, ()) from None
    except UnderWay:
        why = "this very request is being worked on; ask again under the same key"
        raise ApiProblem(409, "UNDER_WAY", why, retry_after_s=2) from None
    if isinstance(claim, Told):
        return _response(claim, REPLAYED)
    done = await _done(request, store, caller, key, claim, status, act)
    await store.keep(caller.id, key, claim.attempt, done)
    return _response(done)


async def _done(
    request: Request, store: ApiRequestStore, caller: Caller, key: str, claim: Mine, status: int, act: Act
) -> Told:
    """Raises `ApiProblem`: then nothing is kept, and who asks again goes on with it."""
    try:
        answer = await act(claim.attempt)
    except (ApiProblem, OrderError) as why:
        problem = why if isinstance(why, ApiProblem) else as_problem(why)
        if problem.final:
            return Told(problem.status, json.dumps(problem.told(request), ensure_ascii=False))
        await store.leave(caller.id, key, claim.attempt)
        raise problem from why
    except Exception:
        await store.leave(caller.id, key, claim.attempt)
        raise
    return Told(status, to_json(answer).decode())


def _response(told: Told, headers: dict[str, str] | None = None) -> Response:
    media = "application/json" if told.status < 400 else MEDIA
    return Response(told.answer, told.status, headers, media)


def _hash_of(request: Request, message: Strict | None, more: bytes) -> bytes:
    said = None if message is None else message.model_dump(mode="json")
    text = json.dumps([request.method, request.url.path, said], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode() + b"\0" + hashlib.sha256(more).digest()).digest()
