"""The machine is sharp: a fault of the kind it is there for is built in, and some runs later it is told."""

import asyncio
from random import Random

import pytest
from temporalio import activity

from activities.messages import RefundCall, RefundState
from bench.conserve.checks import NotConserved
from bench.conserve.run import Player, Run
from bench.conserve.world import OutsideWorld
from bench.scenarios.environment.return_case import MINUTE
from bench.scenarios.ordered import stocked
from domain.facts import Kind
from tests.conserve.conftest import Ground
from tests.conserve.test_two_at_once import CUP, asked, cups, every_owner
from workflows.order.messages import CancelOrder
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.stop_claim import Claimant

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

MOST_RUNS = 300
AT_A_TIME = 6
STEPS = (
    "buyer_pays", "systems_will_fail", "systems_will_fail", "systems_will_fail", "order_is_cancelled", "time_passes",
    "worker_dies", "refund_is_told", "time_passes",
)  # fmt: skip
"""They come near refunds that are tried again; what they do, and in what order things happen, is chance."""


async def plays(player: Player, seeds: range) -> list[Run]:
    def steps(seed: int) -> list[tuple[str, int]]:
        random = Random(seed)
        return [(name, random.randrange(2**32)) for name in STEPS]

    return await asyncio.gather(*(player.play(seed, steps(seed)) for seed in seeds))


@pytest.mark.timeout(300)
async def test_the_machine_finds_a_refund_that_is_asked_for_again_under_another_number(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is paid twice, and our books have it once. The guard that is taken away: one number on every attempt."""
    refund = OutsideWorld.refund

    @activity.defn(name="payment.refund")
    async def anew(self, call: RefundCall) -> RefundState:  # type: ignore[no-untyped-def]
        times = activity.info().attempt
        number = call.refund_no if times == 1 else f"{call.refund_no}-{times}"
        return await refund(self, call.model_copy(update={"refund_no": number}))

    monkeypatch.setattr(OutsideWorld, "refund", anew)
    found: list[str] = []
    for first in range(25, MOST_RUNS, AT_A_TIME):
        runs = await plays(ground.player, range(first, first + AT_A_TIME))
        found = [run.what for run in runs if run.what.startswith("NotConserved")]
        if found:
            break
    assert found, f"{MOST_RUNS} runs found nothing"


async def test_the_machine_finds_units_that_are_paid_back_and_shipped(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard that is taken away: only what the warehouse has stopped is paid back."""

    async def unasked(self: Parcel, who: Claimant) -> bool:
        return True

    monkeypatch.setattr(Parcel, "cancel", unasked)
    house = ground.house()
    life = await stocked(house, cups("62000011"))
    await life.pay()
    await asked(house, life, "cancel", CancelOrder(by="buyer", reason="no"))
    house.world.parcels[life.child_no(1)].state = "left"
    await life.happens(Kind.WAYBILL_RETURNED)
    await house.pass_until(house.now() + 5 * MINUTE)
    house.world.captured_minor = 2 * CUP
    assert house.world.given_back_minor == 2 * CUP
    with pytest.raises(NotConserved):
        await every_owner(ground, life, "62000011")
