"""What commands reach: running orders through the typed client, everything else in the store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from asyncpg import InterfaceError, PostgresError
from asyncpg.exceptions import UndefinedColumnError, UndefinedTableError
from temporalio.client import Client

from config.settings import DatabaseSettings, TemporalSettings, UnableToConfigure, load
from config.sources import is_local_stack
from domain.access.authority import Binding
from providers.tokens.errors import UnusableKeys
from starter.cli.errors import CommandFailed, Forbidden
from starter.cli.signed_in import session_prover
from starter.clients.approvals import ApprovalClient
from starter.clients.controls import ControlClient
from starter.clients.desk import DeskClient
from starter.clients.orders import OrderClient, connect_temporal
from starter.clients.proving import Prover
from starter.clients.returns import ReturnClient
from starter.clients.stack_prover import stack_prover
from store.approvals.people import PeopleStore
from store.pool import Pool, open_pool

CONNECTIONS = 2


@asynccontextmanager
async def order_client() -> AsyncIterator[OrderClient]:
    """The client of running orders. Raises `CommandFailed`, `Unreachable`."""
    yield OrderClient(await temporal(), prover=_prover())


@asynccontextmanager
async def return_client() -> AsyncIterator[ReturnClient]:
    """The client of running cases. Raises `CommandFailed`, `Unreachable`."""
    yield ReturnClient(await temporal(), prover=_prover())


@asynccontextmanager
async def approval_client() -> AsyncIterator[ApprovalClient]:
    """The client of decisions. Raises `CommandFailed`, `Unreachable`."""
    yield ApprovalClient(await temporal())


@asynccontextmanager
async def control_client(proof: str | None = None) -> AsyncIterator[ControlClient]:
    """The client of changes of the controls. `proof`: of the one change that it asks for. Raises `CommandFailed`,
    `Unreachable`."""
    yield ControlClient(await temporal(), prover=_given_or_asked(proof))


@asynccontextmanager
async def desk_client(proof: str | None = None) -> AsyncIterator[DeskClient]:
    """The client of the desk. `proof`: of the one command that it gives. Raises `CommandFailed`, `Unreachable`."""
    yield DeskClient(await temporal(), prover=_given_or_asked(proof))


def _given_or_asked(proof: str | None) -> Prover | None:
    """Raises `CommandFailed`; its prover `Forbidden`, saying what a token has to be made for."""

    async def given(binding: Binding, _by: str) -> str:
        if proof is None:
            raise Forbidden(
                f"who asks has to be proven: get a token for workflow {binding.workflow_id}, command {binding.command}"
                f", content_hash {binding.content_hash} (at an identity provider: with the nonce {binding.nonce}), and "
                "give it as --proof (docs/authority.md)."
            )
        return proof

    if proof is not None:
        return given
    return _prover() if is_local_stack() else session_prover() or given


async def temporal() -> Client:
    """Raises `CommandFailed`, `Unreachable`."""
    try:
        return await connect_temporal(load(TemporalSettings))
    except UnableToConfigure as e:
        raise CommandFailed(f"Temporal is not configured: {e}.") from None


def _prover() -> Prover | None:
    """Of who has signed in at an identity provider; else of a developer's stack. Raises `CommandFailed`."""
    try:
        return session_prover() or stack_prover(_knows)
    except (UnableToConfigure, UnusableKeys) as e:
        raise CommandFailed(f"commands cannot be signed here: {e}.") from None


async def _knows(person: str) -> bool:
    async with database() as pool:
        return await PeopleStore(pool).principal(person, datetime.now(UTC)) is not None


@asynccontextmanager
async def database() -> AsyncIterator[Pool]:
    """The store's pool for one command. Database trouble inside becomes `CommandFailed`."""
    try:
        settings = load(DatabaseSettings)
    except UnableToConfigure as e:
        raise CommandFailed(f"the database is not configured: {e}.") from None
    try:
        pool = await open_pool(settings.url.get_secret_value(), max_size=CONNECTIONS, application="oms-cli")
    except (PostgresError, InterfaceError, OSError, TimeoutError, ValueError) as e:
        raise CommandFailed(
            f"the database cannot be reached ({type(e).__name__}); start the stack with `make up`."
        ) from None
    try:
        yield pool
    except (UndefinedTableError, UndefinedColumnError):
        raise CommandFailed("the database has an older schema; run `python -m store.migrate up`.") from None
    except (PostgresError, InterfaceError, OSError, TimeoutError) as e:
        raise CommandFailed(f"the database refused ({type(e).__name__}: {e}); nothing was changed.") from None
    finally:
        await pool.close()
