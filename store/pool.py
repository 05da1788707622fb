"""The one connection pool of a process: JSON as Python values, UTC, and a finite time for everything."""

import json
import re
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Row: TypeAlias = asyncpg.Record

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


async def open_pool(
    url: str,
    *,
    max_size: int = 10,
    application: str = "oms",
    connect_timeout_s: float = 10,
    statement_timeout_s: float = 8,
) -> Pool:
    """A pool on `url` (postgres://…). Raises asyncpg's or OS errors if the server cannot be reached in time.

    `statement_timeout_s` is kept below the activities' time-out, so that the server gives up before the caller does
    and an abandoned statement cannot commit much later.
    """
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=max_size,
        init=_teach_json,
        reset=_nothing_to_undo,
        timeout=connect_timeout_s,
        command_timeout=statement_timeout_s + 2,
        server_settings={
            "application_name": application,
            "timezone": "UTC",
            "statement_timeout": str(int(statement_timeout_s * 1000)),
            "lock_timeout": str(int(statement_timeout_s * 1000)),
            "idle_in_transaction_session_timeout": "30000",
        },
    )


def clean(text: str) -> str:
    """Text as Postgres can hold it: JSON may carry a NUL character, and one such row must not block the others."""
    return text.replace("\x00", "\ufffd")


async def _nothing_to_undo(_: Connection) -> None:
    """On release an open transaction is rolled back all the same. The four statements that asyncpg sends beside it undo
    what our statements never do (tests/store/test_pool.py): session locks, LISTEN, cursors, SET. They were a third of
    all round trips."""


async def _teach_json(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=to_json, decoder=json.loads, schema="pg_catalog")


def to_json(value: Any) -> str:
    """JSON text without NUL characters (see `clean`). Lists of JSON lists have to be passed as such texts: asyncpg
    takes a list of lists for an array of two dimensions."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return _ESCAPED_NUL.sub(r"\1\\ufffd", text) if "\\u0000" in text else text
