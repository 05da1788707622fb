"""A label at a carrier that no parcel goes under is voided, also where nobody knows whether it was booked."""

import pytest

from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.environment.return_case import MINUTE
from domain.facts import Kind
from providers.errors import Refused, UnknownOutcome
from tests.conserve.conftest import Ground
from tests.conserve.test_goods_after_all import replaced
from tests.conserve.test_late_words import NO, answered, paid, questions, world
from tests.conserve.test_two_at_once import asked

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

LOST = UnknownOutcome("scripted", "TIMEOUT", "no answer")
REFUSED = Refused("scripted", "NO", "no such road")


def voided(life: ScenarioOrder) -> list[str]:
    return [call.key for call in world(life).world.of("carrier.void")]


async def packed(ground: Ground, number: str) -> ScenarioOrder:
    """Its label may have been booked by an attempt that got no answer; the next one is refused."""
    life = await paid(ground, number)
    world(life).world.script("carrier.book", LOST, REFUSED)
    await life.happens(Kind.PACKED, 1)
    await life.house.pass_until(life.house.now() + 5 * MINUTE)
    return life


async def test_a_label_that_is_given_up_after_an_attempt_without_an_answer_is_voided(ground: Ground) -> None:
    life = await packed(ground, "88000020")
    (ticket,) = await questions(life)
    assert ticket.step == "book waybill label" and not voided(life)
    await answered(life, "give_up")
    assert voided(life) == [life.child_no(1)] and not await questions(life)


async def test_a_label_that_may_be_booked_for_a_parcel_that_is_stopped_is_voided(ground: Ground) -> None:
    life = await packed(ground, "88000021")
    await asked(world(life), life, "cancel", NO)
    await life.house.pass_until(life.house.now() + 5 * MINUTE)
    assert voided(life) == [life.child_no(1)] and not await questions(life)


async def test_that_a_carrier_knows_no_label_that_was_only_maybe_booked_is_no_question(ground: Ground) -> None:
    life = await packed(ground, "88000022")
    world(life).world.script("carrier.void", REFUSED)
    await answered(life, "give_up")
    assert voided(life) == [life.child_no(1)] and not await questions(life)


async def test_a_label_that_was_certainly_not_booked_is_not_voided(ground: Ground) -> None:
    life = await paid(ground, "88000023")
    world(life).world.script("carrier.book", REFUSED)
    await life.happens(Kind.PACKED, 1)
    await answered(life, "give_up")
    assert not voided(life)


@pytest.mark.parametrize("sent", [True, False])
async def test_the_label_of_a_replacement_that_may_be_booked_is_voided_when_it_is_given_up(
    ground: Ground, sent: bool
) -> None:
    case = await replaced(ground, f"8800002{4 + sent}", LOST, REFUSED)
    life = case.life
    await case.resolve("give_up")
    assert voided(life) == [life.child_no(2)]
    if sent:
        await life.happens(Kind.WAYBILL_RETURNED, 2)
        await life.happens(Kind.SIGNED, 2)
    else:
        await life.happens(Kind.WMS_REJECTED, 2)
        await case.resolve("give_up")
    assert voided(life) == [life.child_no(2)], "once"
