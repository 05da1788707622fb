"""What several rooms share: each of these servers starts once a process, when the first test needs it.

With pytest-xdist every worker is a process: it has servers, databases and ports of its own. What the fixtures need is
imported when they are used, so that tests of the domain alone stay quick.
"""

import gc
import sys
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from temporalio.testing import WorkflowEnvironment

    from bench.scenarios.environment import Servers

ONE_LOOP = (
    "authority",
    "conserve",
    "fuzz",
    "open_api",
    "outside_money",
    "refusals",
    "returns",
    "scenarios",
    "workflows",
)
"""Rooms whose tests share a server that lives on an event loop: all of them run on the session's."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for kind in ("long", "proxy", "browser"):
        if not config.getoption(f"--{kind}"):
            config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker(kind)])
            items[:] = [item for item in items if not item.get_closest_marker(kind)]
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in ONE_LOOP and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_collection_finish() -> None:
    """What all tests import is looked at no more by the garbage collector, and the rest as seldom as in a worker."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(scope="session", autouse=True)
def certificates() -> Iterator[None]:
    """Read once a process. Each HTTP client reads them anew, 45 ms of a core, and hundreds of tests make one or two."""
    if "httpx" not in sys.modules:
        yield
        return
    import httpx

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture
def cancelled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to agree before a paid order is cancelled: for tests that are about what is stopped, and how."""
    from domain.returns.enums import Level
    from store.returns.order_context_store import OrderContextStore

    async def nobody(*_asked: object) -> tuple[Level, ...]:
        return (Level.SYSTEM,)

    monkeypatch.setattr(OrderContextStore, "cancel_route", nobody)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers() -> AsyncIterator["Servers"]:
    """Where cases are played against the real store, on skipped time."""
    from bench.scenarios.environment import Servers

    async with Servers() as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def skipping() -> AsyncIterator["WorkflowEnvironment"]:
    """One Temporal server with skipped time; each test has its own world and task queue."""
    from tests.workflows.play import open_server

    async with await open_server() as env:
        yield env


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--runs-of", type=int, default=0, help="orders and returns go on as new runs after so many events (at least 6)"
    )
    parser.addoption("--long", action="store_true", help="also what is marked `long` (make longlives)")
    parser.addoption("--senders", type=int, default=16, help="how many send them at a time")
    parser.addoption("--proxy", action="store_true", help="also what is marked `proxy`: HAProxy is here (make proxy)")
    parser.addoption("--browser", action="store_true", help="also what is marked `browser` (make browser)")
    parser.addoption("--signals", type=int, default=600, help="how many signals one order is sent in a burst")
    parser.addoption("--scans", type=int, default=240, help="how many scans one return is sent at once")


def pytest_configure(config: pytest.Config) -> None:
    if most := config.getoption("--runs-of"):
        from workflows.durable import continuing

        continuing.MOST_EVENTS = most
