"""Offers in time: each unit once, by the channel that its buyer agreed to; what became of them is counted (R62)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.insight.offers import MakeOffers, OfferActivities
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import case_of
from bench.scenarios.order import start_order
from domain.insight.periods import month_before
from domain.outbound.published import EventType, SubscriberRole
from domain.returns.enums import ReturnType
from domain.returns.offers import OfferTerms
from domain.returns.windows import SHOP_TIME
from store.errors import NobodyListens
from store.insight.offers import OfferStore, read_offers
from store.outbound.subscriptions import SubscriptionStore
from tests.returns.orders import cups, signed

TERMS = OfferTerms()


async def bought(
    house: ScenarioEnvironment, qty: int = 2, agreed: str | None = "sms", number: str = "SO26112001", **terms: Any
) -> ScenarioOrder:
    lines = (cups(qty).lines[0].model_copy(update={"sku": f"CUP-{number}"}),)
    order = cups(qty).model_copy(update={"order_no": number, "lines": lines})
    line = start_order(order, house.now()).model_dump(mode="json")["lines"][0]
    buyer = {"buyer_id": "b-1"} | ({"offers_by": agreed} if agreed else {})
    return await signed(house, order, lines=[line | {"after_sales": terms}], buyer=buyer)


async def heard(house: ScenarioEnvironment) -> None:
    await SubscriptionStore(house.pool).add(
        "shop", SubscriberRole.MARKETING, "https://shop.example/hear", "OMS_SUBSCRIPTION_SHOP",
        (EventType.OFFER_MADE,), "anna", house.now(),
    )  # fmt: skip


async def events(house: ScenarioEnvironment) -> list[Any]:
    rows = await house.pool.fetch("SELECT body FROM outbox WHERE type = 'offer.made' ORDER BY id")
    return [json.loads(row["body"])["data"] for row in rows]


async def test_each_unit_is_offered_once_before_its_warranty_ends_and_what_became_of_it_is_counted(
    house: ScenarioEnvironment,
) -> None:
    life = await bought(house, qty=3, warranty_days=40)
    store, number = OfferStore(house.pool), life.order.order_no
    assert await store.make(TERMS, house.now()) == 0, "it is not thirty days before the end"
    await (await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})).apply()
    await house.pass_until(house.now() + timedelta(days=12))
    with pytest.raises(NobodyListens):
        await store.make(TERMS, house.now())
    assert await house.pool.fetchval("SELECT count(*) FROM offers") == 0, "nobody would have told the buyer"
    await heard(house)
    activity = OfferActivities(house.pool, house.now)
    wanted = MakeOffers(terms=TERMS, as_of=house.now())
    assert [(await activity.make(wanted)).made for _ in range(2)] == [2, 0], "the one in a return is nobody's to offer"
    (told,) = await events(house)
    assert (told["by"], told["units"], told["ends"], len(told["expires"])) == ("sms", [1, 2], "warranty", 10)
    case = await case_of(life, ReturnType.WARRANTY_REPLACEMENT, {"L1": 1})
    await case.apply()
    offers = {one.unit: one for one in await store.of_order(number)}
    assert [one.taken for one in offers.values()] == [True, False]
    await store.refuse(number, house.now())
    today = house.now().astimezone(SHOP_TIME).date()
    assert not any(one.is_open(today) for one in await store.of_order(number))
    await house.pool.execute("UPDATE offers SET made_at = made_at - interval '31 days'")
    async with house.pool.acquire() as connection:
        counted, orders = await read_offers(connection, month_before(house.now()), house.now())
    assert (counted.taken, counted.refused, counted.waiting, orders) == (1, 1, 0, (number,))


async def test_who_has_not_agreed_hears_nothing_and_is_what_the_others_are_compared_with(
    house: ScenarioEnvironment,
) -> None:
    last = month_before(house.now()).until + timedelta(days=20)
    await bought(house, qty=2, agreed=None, warranty_until=f"{last:%Y-%m-%d}")
    await heard(house)
    assert await OfferStore(house.pool).make(TERMS, house.now()) == 0 and await events(house) == []
    async with house.pool.acquire() as connection:
        counted, _ = await read_offers(connection, month_before(house.now()), house.now())
    assert (counted.unasked, counted.unasked_refunded, counted.answered) == (2, 0, 0)


async def test_the_end_that_comes_first_is_offered_before_and_until_the_last_one_a_unit_is_replaced(
    house: ScenarioEnvironment,
) -> None:
    first, last = (house.now().astimezone(SHOP_TIME).date() + timedelta(days=days) for days in (20, 60))
    life = await bought(house, qty=1, warranty_until=f"{last}", shelf_life_until=f"{first}")
    beside = await bought(house, qty=1, number="SO26112002", shelf_life_until=f"{first}")
    await heard(house)
    assert await OfferStore(house.pool).make(TERMS, house.now()) == 2
    assert {(told["ends"], told["expires"]) for told in await events(house)} == {("shelf_life", f"{first}")}
    await house.pass_until(house.now() + timedelta(days=25))
    await (await case_of(life, ReturnType.WARRANTY_REPLACEMENT, {"L1": 1})).apply()
    late = await case_of(beside, ReturnType.WARRANTY_REPLACEMENT, {"L1": 1})
    handle = await house.temporal.start_workflow(
        "Return", late.application, id=f"return/{late.return_no}", task_queue="oms"
    )
    with pytest.raises(WorkflowFailureError) as refused:
        await handle.result()
    assert isinstance(refused.value.cause, ApplicationError)
    assert [d["code"] for d in refused.value.cause.details] == ["WARRANTY_OVER"]
