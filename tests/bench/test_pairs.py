"""What seals and encryption cost is told by differences within pairs, and not on a busy machine."""

import pytest

from bench.load import pairs
from bench.load.pairs import ARMS, Compared, compare, main


def test_a_difference_is_that_of_a_pair_and_not_of_the_medians() -> None:
    """The machine became twice as slow between the pairs; within each, sealing costs one."""
    told = [
        {"with": {"worker": 11.0, "relay": 2.0}, "without": {"worker": 10.0, "relay": 2.0}},
        {"with": {"worker": 21.0, "relay": 4.0}, "without": {"worker": 20.0, "relay": 4.0}},
        {"with": {"worker": 12.0, "relay": 2.0}, "without": {"worker": 11.5, "relay": 2.5}},
    ]
    assert compare(told) == [
        Compared("worker", 12.0, 11.5, 1.0, 0.5, 1.0),
        Compared("relay", 2.0, 2.5, 0.0, -0.5, 0.0),
        Compared("together", 14.0, 14.0, 1.0, 0.0, 1.0),
    ]


async def test_each_pair_runs_the_other_way_round_than_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    async def run(arm: str, *_: object) -> dict[str, float]:
        ran.append(arm)
        return {"worker": 1.0}

    monkeypatch.setattr(pairs, "_run", run)
    found = await pairs.measure(3, 1)
    assert ran == ["with", "without", "without", "with", "with", "without"]
    assert [set(pair) for pair in found] == [set(ARMS)] * 3


def test_on_a_busy_machine_it_does_not_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (9.0, 9.0, 9.0))
    assert main([]) == 1
    assert "busy" in capsys.readouterr().out
