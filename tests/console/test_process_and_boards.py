"""How orders really went, step by step; and boards: arranged by one, seen by the roles they are shared with (R70)."""

from datetime import datetime, timedelta

from activities.insight.reports import BuildReport, InsightActivities
from bench.insight.planting import PlantedOrder, plant_facts, plant_orders
from domain.insight.periods import month
from tests.console.office import Desk
from tests.console.test_tickets import english

APRIL = month("2026-04")
T = APRIL.since + timedelta(days=10)


def order(number: str, left: datetime, days: int) -> PlantedOrder:
    return PlantedOrder(number, "上海市", T, T, left + timedelta(days=days), left)


async def test_each_step_has_its_share_and_median_hours_and_opens_the_orders_that_stood_longest(desk: Desk) -> None:
    left = T + timedelta(days=1)
    orders = [order("SO-FAST", left, 1), order("SO-MEAN", left, 2), order("SO-SLOW", left, 5)]
    await plant_orders(desk.books, orders)
    await plant_facts(desk.books, [one.order_no for one in orders])
    browser = await english(desk, "order-ops")
    page = (await browser.get("/reports/process/2026-04")).text
    assert "43.0 h" in page and "100.0 %" in page and "of 3 it is not known since when" in page
    step = "/reports/process/2026-04/orders?of=parcel&since=IN_TRANSIT&to=SIGNED"
    assert step.replace("&", "&amp;") in page
    slow = (await browser.get(step)).text
    assert slow.index("SO-SLOW") < slow.index("SO-MEAN") < slow.index("SO-FAST") and "115.0 h" in slow
    for wrong in ("2026-13", "2026-04/orders?of=parcel&since=NOWHERE&to=SIGNED", "2026-04/orders?of=x"):
        assert (await browser.get(f"/reports/process/{wrong}")).status_code == 404


async def test_two_boards_are_arranged_shared_by_role_and_changed_by_their_owner_only(desk: Desk) -> None:
    as_of = APRIL.until + timedelta(hours=6)
    insight = InsightActivities(desk.books, lambda: desk.now)
    await insight.build(BuildReport(report="health", period="2026-04", as_of=as_of))
    ops, finance = await english(desk, "order-ops"), await english(desk, "finance")
    first = {"name": "Money", "at:refund_minutes": "2", "at:payment_delay_ppm": "1", "role": "FINANCE"}
    assert (await ops.post("/reports/boards", **first)).status_code == 303
    assert (await ops.post("/reports/boards", **{"name": "Mine", "at:perfect_bp": "1"})).status_code == 303
    page = (await finance.get("/reports/boards")).text
    assert "Mine" not in page and page.index("Payments known late") < page.index("Refund cycle")
    assert "measure=payment_delay_ppm" in page and "measure=perfect_bp" not in page
    assert (await finance.get("/reports/boards?name=Mine")).status_code == 404
    assert (await finance.post("/reports/boards", **(first | {"role": "ORDER_OPS"}))).status_code == 409
    await finance.post("/reports/boards/forget", name="Money")
    assert "measure=refund_minutes" in (await ops.get("/reports/boards?name=Money")).text, "it is not theirs"
    for wrong in ({"name": ""}, {"at:refund_minutes": "last"}):
        assert (await ops.post("/reports/boards", **(first | wrong))).status_code == 422
    await ops.post("/reports/boards/forget", name="Mine")
    assert (await ops.get("/reports/boards?name=Mine")).status_code == 404
