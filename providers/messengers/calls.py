"""One call to a messenger's API, and the token of our app that goes with it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from domain.clock import Clock
from domain.strict import UnableToRead, load
from providers.http import raise_for_outage, send
from providers.messengers.port import FAULTS, MessengerUnknown

JSON_TYPE = {"content-type": "application/json; charset=utf-8", "accept": "application/json"}
EARLIER = timedelta(minutes=5)
"""An app's token is asked for anew so long before its end."""
DEADLINE_S = 8.0
"""Somebody waits before a page."""
LONGEST_ACCOUNT = 128


async def call(
    http: httpx.AsyncClient,
    system: str,
    method: str,
    url: str,
    *,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The answer, of whatever status below 500: these systems say in it what went wrong. Raises
    `MessengerUnavailable`, `MessengerUnknown`."""
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    given = {**JSON_TYPE, **(headers or {})}
    reply = await send(http, system, method, url, headers=given, content=content, deadline_s=DEADLINE_S, faults=FAULTS)
    raise_for_outage(system, reply, FAULTS)
    try:
        told = load(reply.body)
    except UnableToRead:
        told = None
    if not isinstance(told, dict):
        raise MessengerUnknown(system, f"HTTP {reply.status}", "the answer is no JSON object")
    return told


def text_in(told: Mapping[str, Any], name: str) -> str:
    """'' when it is not there, or no text."""
    value = told.get(name)
    return value if isinstance(value, str) and len(value) <= LONGEST_ACCOUNT * 32 else ""


class AppToken:
    """Kept until shortly before its end. `fetch` answers the token and its life in seconds."""

    def __init__(self, fetch: Callable[[], Awaitable[tuple[str, int]]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token = ""
        self._until: datetime | None = None

    async def get(self) -> str:
        if self._until is None or self._clock() >= self._until:
            self._token, life_s = await self._fetch()
            self._until = self._clock() + timedelta(seconds=life_s) - EARLIER
        return self._token

    def forget(self) -> None:
        """It was not believed: the next one is fetched."""
        self._until = None
