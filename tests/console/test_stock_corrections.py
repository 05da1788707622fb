"""Counts and corrections of stock in the browser: asked by one, decided by another, booked by what was seen."""

import re

import pytest

from starter.cli.stock.stock import _signed
from store.stock.ledger import StockStore
from tests.console.office import ActingDesk, Desk
from tests.console.test_tickets import english

TAKE = {"sku": "CUP", "warehouse": "WH-1", "how": "counted", "units": "8", "reason": "count of shelf A"}


@pytest.mark.parametrize("wrong", [{"units": "-3"}, {"units": ""}, {"how": "doubled"}, {"reason": ""}, {"sku": "a b"}])
async def test_a_correction_that_says_too_little_is_refused_before_it_is_sent(
    desk: Desk, wrong: dict[str, str]
) -> None:
    await desk.stock("CUP", "WH-1", 10)
    browser = await english(desk, "warehouse")
    answer = await browser.post("/stock/correct", **{**TAKE, **wrong})
    assert answer.status_code == 409 and "does not fit the question" in answer.text
    assert "10 available, 0 reserved" in (await browser.get("/stock/correct?sku=CUP&warehouse=WH-1")).text


async def test_of_another_warehouse_nothing_is_corrected_nor_told(desk: Desk) -> None:
    await desk.stock("CUP", "WH-1", 10)
    await desk.books.execute("INSERT INTO person_scopes VALUES ('warehouse', 'warehouse', 'WH-2')")
    browser = await english(desk, "warehouse")
    assert (await browser.post("/stock/correct", **TAKE)).status_code == 403
    assert "10 available" not in (await browser.get("/stock/correct?sku=CUP&warehouse=WH-1")).text


def test_units_more_or_fewer_are_written_so_that_no_option_is_read() -> None:
    assert (_signed("+3"), _signed("3-"), _signed("3")) == (3, -3, 3)


@pytest.mark.asyncio(loop_scope="session")
async def test_two_people_correct_the_stock_by_the_difference_that_was_seen(acting: ActingDesk) -> None:
    """Goods that were never there, nothing at all, and more than there is, are refused before anybody is asked."""
    house = acting.house
    stock = StockStore(house.pool)
    await stock.receive("CUP", "WH-1", 10, "GR-1")
    asker, decider = await acting.sign_in("warehouse"), await acting.sign_in("order-ops")
    await asker.get("/language/en")
    for wrong, said in (
        ({"sku": "POT"}, "was never received"), ({"units": "10"}, "the books say the same"),
        ({"how": "fewer", "units": "11"}, "cannot go"),
    ):  # fmt: skip
        refused = await asker.post("/stock/correct", **{**TAKE, **wrong})
        assert refused.status_code == 409 and said in refused.text, refused.text
    for n, (form, available, scrapped) in enumerate(
        (({}, 8, 2), ({"how": "more", "units": "5"}, 13, 2), ({"how": "fewer", "units": "1"}, 12, 3)), 1
    ):
        where = await acting.done(await asker.post("/stock/correct", **{**TAKE, **form}))
        number = where.partition("asked=")[2]
        assert number.startswith("A-stock/") and number.endswith(f"-{n}")
        before = (await stock.show("CUP", "WH-1"))[0]
        chosen = re.search(r'name="chosen" value="([^"]+)"', (await decider.get(f"/approvals/{number}")).text)
        assert chosen
        decision = {"chosen": chosen[1], "decision": "approve", "remark": "seen", "page": "1"}
        await acting.done(await decider.post("/approvals", **decision))
        after = (await stock.show("CUP", "WH-1"))[0]
        assert (after.available, after.scrapped) == (available, scrapped) and before != after
    where = await acting.done(await asker.post("/stock/correct", **TAKE))
    number = where.partition("asked=")[2]
    chosen = re.search(r'name="chosen" value="([^"]+)"', (await decider.get(f"/approvals/{number}")).text)
    assert chosen
    await house.pool.execute("INSERT INTO person_scopes VALUES ('order-ops', 'warehouse', 'WH-2')")
    elsewhere = await acting.sign_in("order-ops")
    assert number not in (await elsewhere.get("/approvals")).text
    assert (await elsewhere.get(f"/approvals/{number}")).status_code == 403, "another warehouse's"
    refused = await elsewhere.post("/approvals", chosen=chosen[1], decision="approve", remark="x", page="1")
    assert refused.status_code == 403
    assert (await stock.show("CUP", "WH-1"))[0].available == 12
    told = [
        (row.actor, row.detail["delta"], row.detail["approved_by"]) for row in await acting.desk.audit("stock.correct")
    ]
    assert told == [("warehouse", -1, "order-ops"), ("warehouse", 5, "order-ops"), ("warehouse", -2, "order-ops")]
