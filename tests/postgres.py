"""A database of its own for every test: one PostgreSQL a process, one migrated template, a copy a test.

A process is a whole session, or a worker of pytest-xdist.

In a room's `conftest.py`: `from tests.postgres import database_url, pool`. Rooms share the server. Set
`OMS_TEST_DATABASE_URL` (a superuser's, or one who may create databases and extensions) to use a server that runs
already.
"""

import atexit
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack
from functools import cache
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy.local.postgres import COPIED, temporary_postgres
from store.migrate import migrate
from store.pool import Pool, open_pool


@cache
def server_url() -> str:
    """Address of this process's server, started at the first call and gone with this process."""
    given = os.environ.get("OMS_TEST_DATABASE_URL")
    if given:
        return given
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(temporary_postgres()).url()


def at(database: str) -> str:
    """Address of another database of the same server."""
    return urlunsplit(urlsplit(server_url())._replace(path=f"/{database}"))


@cache
def template() -> str:
    """Name of a database with the newest schema and nothing in it."""
    name = f"oms_template_{secrets.token_hex(4)}"
    migrate(at(name))
    return name


async def administer(statement: str) -> None:
    connection = await asyncpg.connect(server_url(), timeout=10)
    try:
        await connection.execute(statement, timeout=30)
    finally:
        await connection.close()


@pytest.fixture
async def database_url() -> AsyncIterator[str]:
    """A fresh, migrated, empty database; dropped after the test."""
    name = f"oms_test_{secrets.token_hex(6)}"
    await administer(f"CREATE DATABASE {name} TEMPLATE {template()} {COPIED}")
    yield at(name)
    await administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on this test's database. As many connections as the liveliest test has tasks."""
    opened = await open_pool(database_url, max_size=30, application="test")
    yield opened
    await opened.close()


async def as_an_older_version(pool: Pool, change: str) -> None:
    """Changes what nobody may change, to look like what another version or another time has left."""
    await pool.execute(
        f"ALTER TABLE inbox DISABLE TRIGGER inbox_facts_stay;{change};ALTER TABLE inbox ENABLE TRIGGER inbox_facts_stay"
    )
