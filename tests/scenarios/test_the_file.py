"""The project's own copy of the scenario file, run as a user runs it."""

import json
from pathlib import Path

import pytest

from bench.scenarios.__main__ import main
from bench.scenarios.blocks import BLOCKS, INPUTS
from bench.scenarios.compare import differences
from bench.scenarios.document import NotYet, Scenario, read_file
from bench.scenarios.environment import Servers
from bench.scenarios.run import SENTENCES, actual

FILE = Path(__file__).parent / "scenarios.yaml"
SCENARIOS = read_file(FILE)


def test_every_block_of_the_file_is_known() -> None:
    expected = {name for s in SCENARIOS for name in s.expected}
    assert expected - set(BLOCKS) == {SENTENCES}
    assert {name for s in SCENARIOS for name in s.given} <= INPUTS


@pytest.mark.parametrize(
    ("chosen", "line", "last"),
    [
        ("S01", "S01 pricing PASS", "scenarios: 1 passed, 0 failed"),
        ("S30", "S30 kpi PASS", "scenarios: 1 passed, 0 failed"),
    ],
)
def test_the_last_line_counts_what_passed_and_failed(
    chosen: str, line: str, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the whole file `make scenarios` says it, and ends with 1 when anything has failed."""
    assert main([str(FILE), "--only", chosen]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert line in printed
    assert printed[-1] == last


def test_one_scenario_can_be_chosen_and_read_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FILE), "--only", "S13", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["passed"], report["failed"]) == (1, 0)
    assert [b["block"] for b in report["scenarios"][0]["blocks"]] == ["pricing", "split", "split_alt"]


def test_a_scenario_that_is_not_in_the_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FILE), "--only", "S99"]) == 2
    assert "no scenario S99" in capsys.readouterr().err


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.id)
async def test_every_number_of_a_built_block_is_really_compared(scenario: Scenario, servers: Servers) -> None:
    """The block passes; change each expected value in turn, and it would not."""
    for name in BLOCKS.keys() & scenario.expected.keys():
        try:
            found, _ = await actual(name, scenario, servers)
        except NotYet:
            continue
        expected = scenario.expected[name]
        assert list(differences(expected, found)) == []
        for changed in _each_leaf_changed(expected):
            assert list(differences(changed, found)), (scenario.id, name, changed)


def _each_leaf_changed(value: object) -> list[object]:
    if isinstance(value, dict):
        return [value | {key: changed} for key in value for changed in _each_leaf_changed(value[key])]
    if isinstance(value, list):
        return [
            [*value[:i], changed, *value[i + 1 :]]
            for i, item in enumerate(value)
            for changed in _each_leaf_changed(item)
        ] + [value * 2 if value else ["one more"]]
    return [value + 1 if isinstance(value, int) else f"{value}?"]
