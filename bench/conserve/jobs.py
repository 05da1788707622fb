"""Runs shared out among processes. A part of them has a database of its own, which is gone with it: the ten thousandth
run finds tables as small as the first one did, and no process lives long enough to grow."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import asynccontextmanager
from multiprocessing import get_context
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import structlog

from bench.conserve.house import staffed
from bench.conserve.many import Tally, Tell, kind_of, many
from bench.conserve.run import Player
from bench.scenarios.environment.evidence import evidence_of_a_house, vault_of_a_house
from store.migrate import migrate
from store.pool import open_pool

PART = 25
"""Runs of one database."""
PARTS_OF_A_PROCESS = 10
TEMPLATE = "conserve"


async def make_ready(server: str) -> None:
    """The template of all databases: migrated, with rules, and people who may decide. `server`: address of a database
    whose role may make others."""
    await asyncio.to_thread(migrate, _at(server, TEMPLATE))
    pool = await open_pool(_at(server, TEMPLATE), application="conserve")
    with vault_of_a_house() as vault:
        await staffed(pool, evidence_of_a_house(pool, vault))
    await pool.close()


def play(server: str, seeds: range, *, jobs: int, beside: int, tell: Tell) -> Tally:
    """All of them. `jobs`: processes; `beside`: runs at the same time in each; `tell`: hears of failures, and of
    progress after each part."""
    tally = Tally()
    parts = [seeds[at : at + PART] for at in range(0, len(seeds), PART)]
    for at in range(0, len(parts), jobs * PARTS_OF_A_PROCESS):
        # New processes by a pool of their own: `max_tasks_per_child` may wait for ever for a task that ended with its
        # process (python/cpython#115634).
        with ProcessPoolExecutor(jobs, get_context("spawn")) as processes:
            some = parts[at : at + jobs * PARTS_OF_A_PROCESS]
            for done in as_completed([processes.submit(_play_part, server, part, beside) for part in some]):
                part = done.result()
                tally.add(part)
                for run in part.failed:
                    tell(f"seed {run.seed}, step {len(run.steps)}: {kind_of(run)}")
                tell(f"{tally.runs} of {len(seeds)} runs, {tally.rate:.1f}/s, {len(tally.failed)} failed")
    return tally


def _play_part(server: str, seeds: Sequence[int], beside: int) -> Tally:
    return asyncio.run(_played(server, seeds, beside))


async def _played(server: str, seeds: Sequence[int], beside: int) -> Tally:
    async with player(server, f"part_{seeds[0]}", beside) as one:
        return await many(one, seeds, beside=beside)


@asynccontextmanager
async def player(server: str, database: str, beside: int) -> AsyncIterator[Player]:
    """In a copy of the template, dropped afterwards."""
    say_nothing()
    await _administer(server, f"CREATE DATABASE {database} TEMPLATE {TEMPLATE}")
    await _administer(server, f"ALTER DATABASE {database} SET plan_cache_mode = force_generic_plan")
    try:
        pool = await open_pool(_at(server, database), max_size=2 * beside + 2, application="conserve")
        with vault_of_a_house() as vault:
            yield Player(pool, evidence_of_a_house(pool, vault))
        await pool.close()
    finally:
        await _administer(server, f"DROP DATABASE {database} WITH (FORCE)")


def say_nothing() -> None:
    """A workflow that refuses a fact says so in the log, and here it is meant."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.ERROR)


async def _administer(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server, timeout=30)
    try:
        await connection.execute(statement, timeout=60)
    finally:
        await connection.close()


def _at(server: str, database: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{database}"))
