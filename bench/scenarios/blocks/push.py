"""`push`: when the buyer of a unit whose warranty or shelf life ends is offered a replacement (R62)."""

from datetime import date, time, timedelta
from typing import Annotated, Any

from pydantic import Field

from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.environment.return_case import case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.scenarios.plain_yaml import Malformed
from domain.facts import Kind
from domain.outbound.published import EventType, SubscriberRole
from domain.returns.enums import ReturnType
from domain.returns.offers import Ends, OfferedUnit, OfferTerms, offer_at
from domain.strict import Strict
from store.insight.offers import OfferStore
from store.outbound.subscriptions import SubscriptionStore

MOST_ITEMS = 20
SENT = """
INSERT INTO offers (order_no, line_id, unit, ends, expires, by_channel, made_at)
VALUES ($1, 'L1', 0, $2, $3, 'sms', $4)"""


class PushedIn(Strict):
    line: Annotated[str, Field(min_length=1, max_length=100)]
    kind: Ends
    expires: date
    open_case: bool = False
    already_sent: bool = False
    returned: bool = False
    refunded: bool = False


class PushIn(Strict):
    notice_days: Annotated[int, Field(ge=1, le=3_650)]
    at_time: time
    items: tuple[PushedIn, ...]


async def play(scenario: Scenario, servers: Servers) -> Any:
    given = read(PushIn, block(scenario, "push"), "input.push")
    if len({item.line for item in given.items}) < len(given.items):
        raise Malformed("input.push.items: a line stands twice")
    terms = OfferTerms(notice_days=given.notice_days, at_time=given.at_time)
    told = [{"line": item.line, "push_at": _at(item, terms)} for item in given.items]
    if why := _why_not(given):
        return ByRule(told, why)
    async with servers.house() as house:
        return [await _played(house, item, n, terms) for n, item in enumerate(given.items)]


def _why_not(given: PushIn) -> str:
    """Why nobody plays it; empty: it is played."""
    impossible = {
        "the catalogue knows no shelf life": any(i.kind is Ends.SHELF_LIFE and not i.already_sent for i in given.items),
        "returns are not lived to their ends here": any(i.returned or i.refunded for i in given.items),
        f"more than {MOST_ITEMS} units": len(given.items) > MOST_ITEMS,
    }
    return next((why for why, so in impossible.items() if so), "")


async def _played(house: ScenarioEnvironment, item: PushedIn, n: int, terms: OfferTerms) -> dict[str, Any]:
    """An order of its own with one unit: offered at the moment of the rule, and not a second before."""
    number = f"OFFER-{n:04d}"
    life = await _bought(house, number, item)
    if n == 0:
        await SubscriptionStore(house.pool).add(
            "shop", SubscriberRole.MARKETING, "https://shop.example/offers", "OMS_SUBSCRIPTION_SHOP",
            (EventType.OFFER_MADE,), "u-ops", house.now(),
        )  # fmt: skip
    if item.open_case:
        await (await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})).apply()
    at = terms.at(item.expires)
    if item.already_sent:
        await house.pool.execute(SENT, number, item.kind.value, item.expires, at)
    offers = OfferStore(house.pool)
    early = await offers.make(terms, at - timedelta(seconds=1))
    assert early == 0, f"{item.line} was offered before its time"
    made = await offers.make(terms, at)
    assert await offers.make(terms, at) == 0, f"{item.line} was offered twice"
    return {"line": item.line, "push_at": at.isoformat() if made else None}


async def _bought(house: ScenarioEnvironment, number: str, item: PushedIn) -> ScenarioOrder:
    """Its warranty ends on that day; its buyer has agreed to hear of offers, and has it."""
    order = OrderIn(order_no=number, lines=(LineIn(id="L1", sku=f"OFFERED-{number}", qty=1, unit_price=3_000),))
    line = {
        "line_id": "L1", "sku": f"OFFERED-{number}", "qty": 1, "unit_price_minor": 3_000, "tags": {"warehouse": "WH"},
        "after_sales": {"warranty_until": item.expires.isoformat()},
    }  # fmt: skip
    life = await stocked(house, order, buyer={"buyer_id": f"buyer-{number}", "offers_by": "sms"}, lines=[line])
    await life.pay()
    await life.ships(1)
    await life.happens(Kind.SIGNED)
    return life


def _at(item: PushedIn, terms: OfferTerms) -> str | None:
    unit = OfferedUnit(
        kind=item.kind, expires=item.expires, open_case=item.open_case, returned=item.returned, refunded=item.refunded,
        offered=item.already_sent,
    )  # fmt: skip
    try:
        at = offer_at(unit, terms)
    except OverflowError:
        raise Malformed(f"input.push: {item.line} would be offered before there were calendars") from None
    return None if at is None else at.isoformat()
