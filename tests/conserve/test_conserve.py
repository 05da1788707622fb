"""Whatever happens to an order, in whatever order, every unit and every fen has one owner after every step.

`CONSERVE_RUNS` runs from `CONSERVE_SEED` on; `make conserve` plays twenty thousand.
"""

import os

import pytest

from bench.conserve.many import many
from tests.conserve.conftest import Ground

RUNS = int(os.environ.get("CONSERVE_RUNS", "40"))
SEED = int(os.environ.get("CONSERVE_SEED", "1"))


@pytest.mark.timeout(600)
async def test_every_unit_and_every_fen_keeps_one_owner(ground: Ground) -> None:
    failed = (await many(ground.player, range(SEED, SEED + RUNS), beside=6)).failed
    told = [f"seed {run.seed}: {run.what}\n{run.steps}" for run in failed]
    assert not failed, "\n\n".join(told) + "\n\n`python -m bench.conserve --runs 1 --seed N` makes it short"
