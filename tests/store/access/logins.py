"""Real logins on the tests' server, one a role, as the local stack makes them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from deploy.local.logins import login_of, make_logins
from store.pool import Connection

PASSWORD = "only-for-this-server"
ROLES = ("oms_relay", "oms_worker", "oms_operator", "oms_bi", "oms_console")


def url_of(database_url: str, role: str) -> str:
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(netloc=f"{login_of(role)}:{PASSWORD}@{parts.hostname}:{parts.port}"))


@asynccontextmanager
async def logged_in(database_url: str, role: str) -> AsyncIterator[Connection]:
    await make_logins(database_url, {role: url_of(database_url, role)})
    connection = await asyncpg.connect(url_of(database_url, role), timeout=10)
    try:
        yield connection
    finally:
        await connection.close()
