"""Plays scenarios block by block and says truthfully what passed, what failed and what nothing checked."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bench.scenarios.blocks import BLOCKS, INPUTS, Block
from bench.scenarios.compare import differences
from bench.scenarios.document import ByRule, NotYet, Scenario
from bench.scenarios.environment import Servers
from bench.scenarios.plain_yaml import Malformed

SENTENCES = "assertions"
"""Behaviours in words, without a number: observed by tests, not here."""


class Verdict(StrEnum):
    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class BlockResult:
    block: str
    verdict: Verdict
    notes: tuple[str, ...] = ()
    """Differences, or why it could not be run; of a block that passed, how else than by a running workflow."""


@dataclass(frozen=True)
class ScenarioResult:
    id: str
    title: str
    blocks: tuple[BlockResult, ...]
    sentences: int = 0

    @property
    def verdict(self) -> Verdict:
        """PASS: at least one block, and every one of them, passed. FAIL: any failed. Otherwise it is not yet proven."""
        verdicts = {result.verdict for result in self.blocks}
        if Verdict.FAIL in verdicts:
            return Verdict.FAIL
        return Verdict.PASS if verdicts == {Verdict.PASS} else Verdict.NOT_YET


PLAY_S = 120.0
"""The longest that one block may take."""


async def run_all(
    scenarios: Sequence[Scenario],
    servers: Servers,
    blocks: Mapping[str, Block] = BLOCKS,
    tell: Callable[[ScenarioResult], None] = lambda _: None,
) -> list[ScenarioResult]:
    """All of them side by side, in the order given. `tell` hears of each as soon as it is done."""

    async def one(scenario: Scenario) -> ScenarioResult:
        result = await run(scenario, servers, blocks)
        tell(result)
        return result

    return list(await asyncio.gather(*(one(scenario) for scenario in scenarios)))


async def run(scenario: Scenario, servers: Servers, blocks: Mapping[str, Block] = BLOCKS) -> ScenarioResult:
    """Every expected block of one scenario. `blocks`: what plays them, by name."""
    results = [BlockResult(f"input.{name}", Verdict.FAIL, ("unknown input block",)) for name in _unknown(scenario)]
    names = [name for name in scenario.expected if name != SENTENCES]
    results += await asyncio.gather(*(_run_block(name, scenario, servers, blocks) for name in names))
    sentences = scenario.expected.get(SENTENCES, [])
    count = len(sentences) if isinstance(sentences, list) else 1
    return ScenarioResult(scenario.id, scenario.title, tuple(results), count)


async def actual(
    name: str, scenario: Scenario, servers: Servers, blocks: Mapping[str, Block] = BLOCKS
) -> tuple[Any, str]:
    """What one block gives, and how else than by a running workflow. Raises `Malformed`, `NotYet`, `TimeoutError`."""
    async with asyncio.timeout(PLAY_S):
        found = await blocks[name](scenario, servers)
    return (found.actual, found.note) if isinstance(found, ByRule) else (found, "")


def _unknown(scenario: Scenario) -> list[str]:
    return sorted(set(scenario.given) - INPUTS)


async def _run_block(name: str, scenario: Scenario, servers: Servers, blocks: Mapping[str, Block]) -> BlockResult:
    if name not in blocks:
        return _failed(name, "unknown expected block")
    try:
        found, note = await actual(name, scenario, servers, blocks)
    except NotYet as e:
        return BlockResult(name, Verdict.NOT_YET, (str(e),))
    except Malformed as e:
        return _failed(name, *str(e).splitlines())
    except Exception as broken:  # one play that breaks must not take the others with it
        return _failed(name, f"the play broke: {type(broken).__name__}: {broken}"[:1000])
    notes = (f"by the rule alone: {note}",) if note else ()
    differing = tuple(differences(scenario.expected[name], found))
    return BlockResult(name, Verdict.FAIL if differing else Verdict.PASS, (*differing, *notes))


def _failed(name: str, *why: str) -> BlockResult:
    return BlockResult(name, Verdict.FAIL, why)
