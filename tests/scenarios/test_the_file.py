"""The project's own copy of the scenario file, run as a user runs it."""

import json
from pathlib import Path

import pytest

from bench.scenarios.__main__ import main
from bench.scenarios.blocks import BLOCKS, INPUTS, PLANNED
from bench.scenarios.document import Scenario, read_file
from bench.scenarios.run import SENTENCES, Verdict, run

FILE = Path(__file__).parent / "scenarios.yaml"
SCENARIOS = read_file(FILE)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.id)
def test_no_scenario_fails(scenario: Scenario) -> None:
    assert [(b.block, b.notes) for b in run(scenario).blocks if b.verdict is Verdict.FAIL] == []


@pytest.mark.parametrize(
    ("number", "block"),
    [(s.id, name) for s in SCENARIOS for name in s.expected if name in BLOCKS and "refund" not in name],
)
def test_every_block_that_is_built_passes(number: str, block: str) -> None:
    (scenario,) = [s for s in SCENARIOS if s.id == number]
    assert {b.verdict for b in run(scenario).blocks if b.block == block} == {Verdict.PASS}


def test_late_payment_is_refunded_in_full_by_the_system() -> None:
    (scenario,) = [s for s in SCENARIOS if s.id == "S02"]
    assert run(scenario).verdict is Verdict.PASS


def test_every_block_of_the_file_is_known() -> None:
    expected = {name for s in SCENARIOS for name in s.expected}
    assert expected - set(BLOCKS) - PLANNED == {SENTENCES}
    assert {name for s in SCENARIOS for name in s.given} <= INPUTS
    assert not PLANNED & set(BLOCKS)


def test_the_last_line_counts_what_passed_and_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FILE)]) == 0
    printed = capsys.readouterr().out.splitlines()
    passed = sum(run(s).verdict is Verdict.PASS for s in SCENARIOS)
    assert printed[-1] == f"scenarios: {passed} passed, 0 failed"
    assert "S01 pricing PASS" in printed
    assert "S30 kpi not yet" in printed


def test_one_scenario_can_be_chosen_and_read_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FILE), "--only", "S13", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["passed"], report["failed"]) == (1, 0)
    assert [b["block"] for b in report["scenarios"][0]["blocks"]] == ["pricing", "split", "split_alt"]


def test_a_scenario_that_is_not_in_the_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FILE), "--only", "S99"]) == 2
    assert "no scenario S99" in capsys.readouterr().err


def test_every_number_of_a_built_block_is_really_compared() -> None:
    """Change each expected value in turn: the block must fail."""
    for scenario in SCENARIOS:
        for name in BLOCKS.keys() & scenario.expected.keys():
            if next(b.verdict for b in run(scenario).blocks if b.block == name) is not Verdict.PASS:
                continue
            for changed in _each_leaf_changed(scenario.expected[name]):
                other = Scenario(
                    scenario.id, scenario.given, {name: changed}, fsm=scenario.fsm, fsm_rank=scenario.fsm_rank
                )
                assert run(other).verdict is Verdict.FAIL, (scenario.id, name, changed)


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
