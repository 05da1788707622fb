"""Which orders a person finds and sees, and how the page of one reads."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from console.pages.order.story import told
from domain.dispatch.holds import RISK_RULE, Hold, HoldKind
from domain.insight.risk import RiskFeatures, RiskTable
from store.orders.detail import TimelineEntry
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.console.office import Desk
from tests.console.test_tickets import english
from tests.store.examples import NOW, a_settled_order, a_write, an_order


async def seen(desk: Desk, person: str, query: str = "") -> list[str]:
    browser = await desk.sign_in(person, token_id=f"{person}-{query}-{datetime.now(UTC).timestamp()}")
    page = (await browser.get(f"/orders{query}")).text
    return [number for number in ("SO20261120", "SO20261121", "SO20261122") if f'href="/orders/{number}"' in page]


@pytest.fixture
async def shop(desk: Desk, pool: Pool) -> Desk:
    """One paid order with two parcels, an unpaid one of the same shop, and an unpaid one of another."""
    orders = OrderStore(pool)
    for sku, warehouse in (("A", "WH-1"), ("B", "WH-2")):
        await desk.stock(sku, warehouse, 10)
    await a_settled_order(orders, "SO20261120")
    await orders.register(an_order("SO20261121", placed_at=NOW + timedelta(hours=1)), "run-2", NOW)
    other = an_order("SO20261122", channel="other", placed_at=NOW + timedelta(hours=2))
    await orders.register(other, "run-3", NOW)
    return desk


async def scoped(pool: Pool, person: str, kind: str, *values: str) -> None:
    for value in values:
        await pool.execute("INSERT INTO person_scopes VALUES ($1, $2, $3)", person, kind, value)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["SO20261120", "SO20261121", "SO20261122"]),
        ("?status=PENDING_PAYMENT", ["SO20261121", "SO20261122"]),
        ("?channel=other", ["SO20261122"]),
        ("?only=late", ["SO20261120"]),
        ("?only=attention", []),
        ("?q=C-SO20261121", ["SO20261121"]),
        ("?q=SO20261120-01", ["SO20261120"]),
        ("?q=TX-SO20261120", ["SO20261120"]),
        ("?q=b-1", ["SO20261120", "SO20261121", "SO20261122"]),
        ("?q=A", ["SO20261120", "SO20261121", "SO20261122"]),
        ("?q=8000", ["SO20261120", "SO20261121", "SO20261122"]),
        ("?q=%00%27;--", []),
    ],
)
async def test_whatever_number_one_has_leads_to_the_order(shop: Desk, query: str, found: list[str]) -> None:
    assert await seen(shop, "cs-agent", query) == found


async def test_an_orders_own_number_leads_straight_to_its_page(shop: Desk) -> None:
    browser = await shop.sign_in("cs-agent")
    assert (await browser.get("/orders?q=SO20261121")).headers["location"] == "/orders/SO20261121"
    assert (await browser.get("/orders/SO20261120-01")).headers["location"] == "/orders/SO20261120"
    assert (await browser.get("/orders/SO-NONE-1")).status_code == 404


@pytest.mark.parametrize("query", ["?status=NONSENSE", "?only=x", "?after=bm9uc2Vuc2U=", "?after=é"])
async def test_an_address_that_says_what_does_not_exist_is_refused_in_words(shop: Desk, query: str) -> None:
    answer = await (await shop.sign_in("cs-agent")).get(f"/orders{query}")
    assert answer.status_code == 400 and "地址中的条件不存在" in answer.text


async def test_who_is_named_for_a_shop_sees_its_orders_and_no_others(shop: Desk, pool: Pool) -> None:
    await scoped(pool, "cs-agent", "channel", "other")
    assert await seen(shop, "cs-agent") == ["SO20261122"]
    assert await seen(shop, "cs-agent", "?q=b-1") == ["SO20261122"]
    assert await seen(shop, "finance") == ["SO20261120", "SO20261121", "SO20261122"]
    browser = await shop.sign_in("cs-agent", token_id="again")
    assert (await browser.get("/orders/SO20261120")).status_code == 404
    assert (await browser.get("/orders/SO20261120/cancel")).status_code == 404
    assert (await browser.post("/orders/SO20261120/cancel", reason="mine")).status_code == 403
    (row,) = await shop.audit("console.refused")
    assert (row.actor, row.detail["code"]) == ("cs-agent", "OUT_OF_SCOPE")


async def test_who_is_named_for_a_warehouse_sees_what_leaves_from_there(shop: Desk, pool: Pool) -> None:
    await scoped(pool, "warehouse", "warehouse", "WH-2")
    assert await seen(shop, "warehouse") == ["SO20261120"]
    await pool.execute("UPDATE person_scopes SET value = 'WH-9'")
    assert await seen(shop, "warehouse") == []


async def test_the_first_page_counts_what_the_person_sees(shop: Desk, pool: Pool) -> None:
    page = (await (await shop.sign_in("warehouse")).get("/")).text
    assert '<a class="card card-link tile tile-red" href="/orders?only=late">' in page
    await scoped(pool, "warehouse", "channel", "other")
    page = (await (await shop.sign_in("warehouse", token_id="again")).get("/")).text
    assert "tile-red" not in page


async def test_a_page_after_another_goes_on_where_that_ended(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.pages.orders.listing.A_PAGE", 2)
    browser = await shop.sign_in("cs-agent")
    first = (await browser.get("/orders?channel=shop")).text
    assert 'rel="next"' not in first
    first = (await browser.get("/orders")).text
    assert "SO20261122" in first and "SO20261120" not in first
    following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = (await browser.get(following)).text
    assert "SO20261120" in second and "SO20261122" not in second


async def test_the_page_of_an_order_says_in_words_what_it_is(shop: Desk) -> None:
    browser = await shop.sign_in("cs-agent")
    page = (await browser.get("/orders/SO20261120")).text
    for words in ("待发货", "SO20261120-01", "WH-2", "王芳", "拆分明细", "TX-SO20261120", "手动刷新"):
        assert words in page, words
    assert page.count("disabled") == 1, "receipt cannot be confirmed yet"
    finance = (await (await shop.sign_in("finance")).get("/orders/SO20261120")).text
    assert finance.count("disabled") == 3 and "您的角色不能进行此操作" in finance


def entry(minute: int, title: str, result: str = "APPLIED", what: str = "event") -> TimelineEntry:
    at = NOW + timedelta(minutes=minute)
    return TimelineEntry(at, what, title, "kuaidi100", result, "C-01", "SHIPPED", "SHIPPED", at, "")


def test_a_story_folds_what_repeats_and_leaves_out_what_changed_nothing() -> None:
    entries = [
        entry(0, "PICKING"), entry(1, "IN_TRANSIT"), entry(2, "IN_TRANSIT"), entry(3, "IN_TRANSIT", "DUPLICATE"),
        entry(4, "IN_TRANSIT"), entry(5, "command.admitted", "", "audit"), entry(6, "SIGNED"), entry(7, "IN_TRANSIT"),
    ]  # fmt: skip
    assert [(line.title, line.times) for line in told(entries, raw=False)] == [
        ("IN_TRANSIT", 1), ("SIGNED", 1), ("IN_TRANSIT", 3), ("PICKING", 1),
    ]  # fmt: skip
    assert len(told(entries, raw=True)) == len(entries)


async def test_a_high_return_risk_says_why_and_how_long_it_waits_and_asks_whoever_may_to_look(
    shop: Desk, pool: Pool
) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=10)
    hold = Hold(
        hold_id="H-SO20261120-1", kind=HoldKind.RISK, source="rule", rule=RISK_RULE, reason="return risk",
        placed_by="system", placed_at=begun, ends_at=begun + timedelta(minutes=30),
        risk=RiskTable().score(RiskFeatures(size_exchange_90d=3, returns_90d=2)),
    )  # fmt: skip
    await OrderStore(pool).write(a_write(seq=9, holds=(hold,)))
    page = (await (await english(shop, "cs-agent")).get("/orders/SO20261120")).text
    assert "65 points, looked at from 60" in page and "exchanged for another size in 90 days × 3" in page
    (left,) = re.findall(r'data-seconds-left="(\d+)"', page)
    assert 0 < int(left) <= 20 * 60 + 1, "whole seconds"
    assert "I have looked at it" in page
    assert "I have looked at it" not in (await (await english(shop, "finance")).get("/orders/SO20261120")).text
    assert "该订单退货风险高：65 分" in (await (await shop.sign_in("order-ops")).get("/orders/SO20261120")).text
