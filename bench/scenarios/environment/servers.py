"""What a run of scenarios shares: one PostgreSQL with a migrated template, one Temporal server with skipped time."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self

import asyncpg
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from bench.scenarios.document import Scenario
from bench.scenarios.environment.environment import ScenarioEnvironment
from deploy.local.postgres import COPIED, LocalPostgres, temporary_postgres
from deploy.local.temporal import LocalTemporal, temporary_temporal
from domain.policy import Policy
from store.migrate import migrate
from wire.converter import data_converter
from wire.search_attributes import ensure_search_attributes

TEMPLATE = "scenarios"
AT_ONCE = 6
"""Environments open side by side."""


class Servers:
    """`async with Servers() as servers:`; nothing is started before the first environment."""

    def __init__(self) -> None:
        self._resources = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._copying = asyncio.Lock()
        self._numbers = count(1)
        self._postgres: LocalPostgres | None = None
        self._temporal: LocalTemporal | None = None
        self._shared: dict[tuple[int, str], tuple[Scenario, asyncio.Future[Any]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._resources.aclose()

    @property
    def temporal(self) -> LocalTemporal:
        """To be stopped and started again, once there is a house, by a play that shares it with nobody."""
        assert self._temporal is not None
        return self._temporal

    @property
    def postgres(self) -> LocalPostgres:
        """The same."""
        assert self._postgres is not None
        return self._postgres

    @asynccontextmanager
    async def house(
        self, policy: Policy | None = None, *, more_workflows: Sequence[type] = (), proofs_demanded: bool = False
    ) -> AsyncIterator[ScenarioEnvironment]:
        """Surroundings of one play, gone at its end. `policy`: what new orders keep; None: the defaults.

        `more_workflows`: beside production's, such as one that takes a table out of the file. `proofs_demanded`:
        nobody is believed by name, as on a real worker.
        """
        async with self._slots:
            postgres, temporal = await self._open()
            name = f"play_{next(self._numbers)}"
            await self._administer(postgres, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} {COPIED}")
            try:
                client = await _namespace(temporal, name)
                async with ScenarioEnvironment.opened(
                    client, postgres.url(name), policy or Policy(), more_workflows, proofs_demanded=proofs_demanded
                ) as house:
                    yield house
            finally:
                await self._administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")

    async def share(self, scenario: Scenario, what: str, play: Callable[[], Awaitable[Any]]) -> Any:
        """The result of `play`, played once for all blocks of `scenario` that ask for the same `what`."""
        key = (id(scenario), what)
        if key not in self._shared:
            # The scenario is kept beside the result: its identity must not be given to another one.
            self._shared[key] = (scenario, asyncio.ensure_future(play()))
        return await asyncio.shield(self._shared[key][1])

    async def _open(self) -> tuple[LocalPostgres, LocalTemporal]:
        async with self._opening:
            if self._postgres is None or self._temporal is None:
                home = Path(tempfile.mkdtemp(prefix="oms-scenarios-"))
                self._resources.callback(shutil.rmtree, home, ignore_errors=True)
                self._temporal = self._resources.enter_context(temporary_temporal(home, time_skipping=True))
                self._postgres = self._resources.enter_context(temporary_postgres())
                await asyncio.to_thread(migrate, self._postgres.url(TEMPLATE))
            return self._postgres, self._temporal

    async def _administer(self, postgres: LocalPostgres, statement: str) -> None:
        async with self._copying:  # one copy of a template at a time
            connection = await asyncpg.connect(postgres.url("postgres"), timeout=10)
            try:
                await connection.execute(statement, timeout=60)
            finally:
                await connection.close()


async def _namespace(temporal: LocalTemporal, name: str) -> Client:
    """A client of a namespace of its own: the same order number may be played in another one."""
    order = RegisterNamespaceRequest(namespace=name)
    order.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    anywhere = await Client.connect(temporal.address)
    await anywhere.workflow_service.register_namespace(order)
    client = await Client.connect(temporal.address, namespace=name, data_converter=data_converter(None, None))
    await ensure_search_attributes(client)
    return client
