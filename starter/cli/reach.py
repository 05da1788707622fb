"""What commands reach: running orders through the typed client, everything else in the store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg import InterfaceError, PostgresError
from asyncpg.exceptions import UndefinedColumnError, UndefinedTableError

from config import DatabaseSettings, TemporalSettings, UnableToConfigure, load
from starter.cli.failing import Failure
from starter.client import OrderClient, connect_temporal
from starter.returns_client import ReturnClient
from store.pool import Pool, open_pool

CONNECTIONS = 2


@asynccontextmanager
async def order_client() -> AsyncIterator[OrderClient]:
    """The client of running orders. Raises `Failure`, `Unreachable`."""
    try:
        settings = load(TemporalSettings)
    except UnableToConfigure as e:
        raise Failure(f"Temporal is not configured: {e}.") from None
    yield await OrderClient.connect(settings)


@asynccontextmanager
async def return_client() -> AsyncIterator[ReturnClient]:
    """The client of running cases. Raises `Failure`, `Unreachable`."""
    try:
        settings = load(TemporalSettings)
    except UnableToConfigure as e:
        raise Failure(f"Temporal is not configured: {e}.") from None
    yield ReturnClient(await connect_temporal(settings))


@asynccontextmanager
async def database() -> AsyncIterator[Pool]:
    """The store's pool for one command. Database trouble inside becomes `Failure`."""
    try:
        settings = load(DatabaseSettings)
    except UnableToConfigure as e:
        raise Failure(f"the database is not configured: {e}.") from None
    try:
        pool = await open_pool(settings.url.get_secret_value(), max_size=CONNECTIONS, application="oms-cli")
    except (PostgresError, InterfaceError, OSError, TimeoutError, ValueError) as e:
        raise Failure(f"the database cannot be reached ({type(e).__name__}); start the stack with `make up`.") from None
    try:
        yield pool
    except (UndefinedTableError, UndefinedColumnError):
        raise Failure("the database has an older schema; run `python -m store.migrate up`.") from None
    except (PostgresError, InterfaceError, OSError, TimeoutError) as e:
        raise Failure(f"the database refused ({type(e).__name__}: {e}); nothing was changed.") from None
    finally:
        await pool.close()
