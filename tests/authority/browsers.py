"""The console in front of a worker that believes nobody by name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.client import Client

from bench.scenarios.environment import ScenarioEnvironment
from store.audit.audit import AuditStore
from tests.console.office import Desk, a_desk


@asynccontextmanager
async def console_of(house: ScenarioEnvironment) -> AsyncIterator[Desk]:
    async def connected() -> Client:
        return house.temporal

    async with a_desk(house.url, house.pool, connected, house.office.key) as desk:
        desk.now = house.now()
        yield desk


async def actions(house: ScenarioEnvironment, action: str) -> list[str]:
    return [row.actor for row in await AuditStore(house.pool).list(limit=200) if row.action == action]
