"""One database for all runs: they keep apart by their numbers."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from activities.evidence import EvidenceService
from bench.conserve.fate import Fate
from bench.conserve.house import EngineHouse, prepared
from bench.conserve.run import Player
from deploy.local.postgres import COPIED
from store.pool import Pool, open_pool
from tests.postgres import administer, at, template


@dataclass(frozen=True)
class Ground:
    """Where runs are played."""

    pool: Pool
    evidence: EvidenceService

    @property
    def player(self) -> Player:
        return Player(self.pool, self.evidence)

    def house(self, fate: Fate | None = None) -> EngineHouse:
        return EngineHouse(self.pool, self.evidence, fate)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ground() -> AsyncIterator[Ground]:
    name = f"conserve_{secrets.token_hex(4)}"
    await administer(f"CREATE DATABASE {name} TEMPLATE {template()} {COPIED}")
    pool = await open_pool(at(name), max_size=16, application="conserve")
    async with prepared(pool) as evidence:
        yield Ground(pool, evidence)
    await pool.close()
    await administer(f"DROP DATABASE {name} WITH (FORCE)")
