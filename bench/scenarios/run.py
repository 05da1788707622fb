"""Plays scenarios block by block and says truthfully what passed, what failed and what nothing checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bench.scenarios.blocks import BLOCKS, INPUTS, PLANNED, Block
from bench.scenarios.compare import differences
from bench.scenarios.document import NotYet, Scenario
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
    """Differences, or why it could not be run."""


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


def run(scenario: Scenario, blocks: Mapping[str, Block] = BLOCKS) -> ScenarioResult:
    """Every expected block of one scenario. `blocks`: what plays them, by name."""
    results = [BlockResult(f"input.{name}", Verdict.FAIL, ("unknown input block",)) for name in _unknown(scenario)]
    results += [_run_block(name, scenario, blocks) for name in scenario.expected if name != SENTENCES]
    sentences = scenario.expected.get(SENTENCES, [])
    count = len(sentences) if isinstance(sentences, list) else 1
    return ScenarioResult(scenario.id, scenario.title, tuple(results), count)


def _unknown(scenario: Scenario) -> list[str]:
    return sorted(set(scenario.given) - INPUTS)


def _run_block(name: str, scenario: Scenario, blocks: Mapping[str, Block]) -> BlockResult:
    if name not in blocks:
        if name in PLANNED:
            return BlockResult(name, Verdict.NOT_YET)
        return BlockResult(name, Verdict.FAIL, ("unknown expected block",))
    try:
        actual: Any = blocks[name](scenario)
    except NotYet as e:
        return BlockResult(name, Verdict.NOT_YET, (str(e),))
    except Malformed as e:
        return BlockResult(name, Verdict.FAIL, tuple(str(e).splitlines()))
    found = tuple(differences(scenario.expected[name], actual))
    return BlockResult(name, Verdict.FAIL if found else Verdict.PASS, found)
