"""Many runs are shared out among processes that are made anew now and then, and all of them are played."""

import asyncio

import pytest

from bench.conserve import jobs
from deploy.local.postgres import temporary_postgres


@pytest.mark.timeout(180)
def test_all_runs_are_played_though_their_processes_are_made_anew_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PART", 1)
    monkeypatch.setattr(jobs, "PARTS_OF_A_PROCESS", 2)
    with temporary_postgres() as postgres:
        asyncio.run(jobs.make_ready(postgres.url()))
        tally = jobs.play(postgres.url(), range(1, 6), jobs=1, beside=1, tell=lambda _: None)
    assert (tally.runs, tally.failed) == (5, [])
