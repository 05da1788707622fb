"""Stock, the catalogue and money: page by page, within one's shops and warehouses, in files that start no formula."""

from datetime import timedelta

import pytest

from console.text.spreadsheets import cell
from domain.catalog.records import SkuRecord
from store.console.goods import GoodsPages
from store.console.money import KINDS, MoneyFilter, MoneyPages
from store.console.sessions import PersonScope
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.catalog import CatalogStore
from tests.console.office import Desk
from tests.console.test_tickets import english
from tests.store.examples import NOW, an_order

BAD = "=<script>alert(1)</script>"


async def paid(books: Pool, number: str, channel: str, n: int = 1) -> None:
    await OrderStore(books).register(an_order(number, channel=channel), "run", NOW)
    for i in range(n):
        await books.execute(
            """INSERT INTO payments (key, order_no, channel, transaction_id, merchant_id, amount_minor, currency,
                paid_at, booked_at) VALUES ($1, $2, 'wechat', $1, 'm', 1050, 'CNY', $3, $3)""",
            f"P-{number}-{i}", number, NOW + timedelta(minutes=i),
        )  # fmt: skip


async def test_stock_is_shown_by_page_and_by_warehouse_of_the_reader(desk: Desk) -> None:
    for n in range(5):
        await desk.stock(f"SKU-{n}", "WH-1" if n % 2 else "WH-2", 10 + n)
    pages, seen, cursor = GoodsPages(desk.books), [], None
    for _ in range(3):
        page = await pages.balances(None, 2, None, None, cursor)
        seen += [one.sku for one in page.balances]
        cursor = page.next
    assert seen == [f"SKU-{n}" for n in range(5)] and cursor is None
    await desk.books.execute("INSERT INTO person_scopes VALUES ('warehouse', 'warehouse', 'WH-1')")
    browser = await english(desk, "warehouse")
    page_text = (await browser.get("/stock")).text
    assert "SKU-1" in page_text and "SKU-2" not in page_text
    assert "GR-SKU-1" in (await browser.get("/stock/moves?sku=SKU-1&warehouse=WH-1")).text
    assert "GR-SKU-2" not in (await browser.get("/stock/moves?sku=SKU-2&warehouse=WH-2")).text
    elsewhere = await browser.post("/stock/receive", sku="SKU-2", warehouse="WH-2", qty="1", ref="GR-9", n="1")
    assert elsewhere.status_code == 403 and len(await desk.audit("console.refused")) == 1


@pytest.mark.parametrize(("field", "value"), [("qty", "0"), ("qty", "many"), ("sku", ""), ("ref", "a b")])
async def test_a_receipt_that_says_too_little_is_refused_before_it_is_sent(desk: Desk, field: str, value: str) -> None:
    form = {"sku": "SKU-1", "warehouse": "WH-1", "qty": "3", "ref": "GR-1", "n": "7", field: value}
    answer = await (await english(desk, "warehouse")).post("/stock/receive", **form)
    assert answer.status_code == 409 and "does not fit the question" in answer.text and 'value="WH-1"' in answer.text


async def test_without_workers_no_receipt_is_booked(desk: Desk) -> None:
    form = {"sku": "SKU-1", "warehouse": "WH-1", "qty": "3", "ref": "GR-1", "n": "7"}
    answer = await (await english(desk, "warehouse")).post("/stock/receive", **form)
    assert answer.status_code == 503 and "nothing was sent" in answer.text
    assert await desk.books.fetchval("SELECT count(*) FROM stock_moves") == 0


async def test_goods_without_tags_are_found(desk: Desk) -> None:
    records = [SkuRecord(sku="TAGGED", ship_from=("WH-1",)), SkuRecord(sku="BARE", name=BAD)]
    await CatalogStore(desk.books).put(records, "u", NOW)
    browser = await english(desk, "warehouse")
    page = (await browser.get("/catalog?only=untagged")).text
    assert "BARE" in page and "TAGGED" not in page and "No tags: its orders wait" in page and BAD not in page
    assert "TAGGED" in (await browser.get("/catalog?sku=TAGGED")).text


async def test_money_of_other_shops_is_neither_shown_nor_exported_nor_summed(desk: Desk) -> None:
    await paid(desk.books, "SO1001", "taobao")
    await paid(desk.books, "SO1002", "jd", 2)
    await desk.books.execute("INSERT INTO person_scopes VALUES ('finance', 'channel', 'jd')")
    browser = await english(desk, "finance")
    page = (await browser.get(f"/finance?day={NOW.date()}")).text
    assert "P-SO1002-1" in page and "SO1001" not in page and "CN¥21.00" in page
    file = (await browser.get("/finance/export")).text
    assert file.count("\n") == 3 and "SO1001" not in file
    assert [row.detail for row in await desk.audit("console.exported")] == [{"what": "finance/payments", "rows": 2}]


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_money_has_its_list_page_after_page(desk: Desk, kind: str) -> None:
    await paid(desk.books, "SO1001", "shop", 3)
    for i in range(3):
        at = NOW + timedelta(minutes=i)
        await desk.books.execute(
            """INSERT INTO outside_money (order_no, kind, source, number, key, merchant_id, amount_minor, currency,
                occurred_at, found_at, why) VALUES ('SO1001', 'refund', 'wechat', $1, $1, 'm', 5, 'CNY', $2, $2, '')""",
            f"N-{i}", at,
        )  # fmt: skip
    pages, seen, cursor = MoneyPages(desk.app.state.wiring.pool), [], None
    for _ in range(2):
        page = await pages.page(PersonScope(), MoneyFilter(kind), 2, cursor)
        seen += [row.number for row in page.rows]
        cursor = page.next
    assert len(seen) == len(set(seen)) == (3 if kind in ("payments", "outside") else 0) and cursor is None
    browser = await english(desk, "finance")
    for only in ("", "&only=waits"):
        assert (await browser.get(f"/finance?kind={kind}{only}&day={NOW.date()}")).status_code == 200
    assert "财务" in (await (await desk.sign_in("finance", "t-2")).get(f"/finance?kind={kind}")).text


@pytest.mark.parametrize("query", ["kind=gold", "day=today", "only=x", "after=x", "day=9999-12-31"])
async def test_a_filter_of_money_that_does_not_exist_is_named_as_such(desk: Desk, query: str) -> None:
    assert (await (await english(desk, "finance")).get(f"/finance?{query}")).status_code == 400


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_text_of_a_file_begins_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}" and cell(-5) == "-5"


async def found_money(books: Pool, kind: str = "refund", amount: int | None = 500) -> None:
    await paid(books, "SO1001", "shop")
    await books.execute(
        """INSERT INTO outside_money (order_no, kind, source, number, key, merchant_id, amount_minor, currency,
            occurred_at, found_at, why) VALUES ('SO1001', $3, 'wechat', 'N-1', 'N-1', 'm', $1, 'CNY', $2, $2, $4)""",
        amount, NOW, kind, BAD,
    )  # fmt: skip


async def test_money_that_nobody_matched_stands_in_the_days_sums_and_leads_to_what_it_may_count_as(desk: Desk) -> None:
    await found_money(desk.books)
    browser = await english(desk, "finance")
    page = (await browser.get(f"/finance?day={NOW.date()}&kind=outside")).text
    assert "Not matched yet" in page and 'href="/finance/money/1"' in page
    one = (await browser.get("/finance/money/1")).text
    assert "A refund that nobody asked for here" in one and "CN¥5.00" in one and BAD not in one
    assert 'value="book_refund"' in one and "give_back" not in one and 'name="units:' in one
    for nothing in ("2", "x", "99999999999999999999"):
        assert (await browser.get(f"/finance/money/{nothing}")).status_code == 404
    await desk.books.execute("INSERT INTO person_scopes VALUES ('finance', 'channel', 'jd')")
    assert (await browser.get("/finance/money/1")).status_code == 403


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"book_as": "give_back", "evidence": "x"}, 409), ({"book_as": "book_refund", "evidence": ""}, 409),
        ({"book_as": "book_refund", "evidence": "x", "amount": "much"}, 409),
        ({"book_as": "book_refund", "evidence": "x"}, 503),
    ],
)  # fmt: skip
async def test_a_question_about_money_that_says_too_little_is_not_sent(
    desk: Desk, form: dict[str, str], status: int
) -> None:
    await found_money(desk.books)
    answer = await (await english(desk, "finance")).post("/finance/money/1/ask", **form)
    assert answer.status_code == status and await desk.books.fetchval("SELECT count(*) FROM approvals") == 0


async def test_a_days_differences_are_shown_of_ones_own_shops(desk: Desk) -> None:
    for number, channel in (("SO1001", "taobao"), ("SO1002", "jd")):
        await paid(desk.books, number, channel)
        await desk.books.execute(
            """INSERT INTO drifts (day, order_no, kind, number, expected, found, found_at)
                VALUES ($1, $2, 'payment', 'W1', 'PAID', '<i>none', $3)""",
            NOW.date(), number, NOW,
        )  # fmt: skip
    browser = await english(desk, "finance")
    page = (await browser.get(f"/finance/differences?day={NOW.date()}")).text
    assert "SO1001" in page and "SO1002" in page and "not yet" in page and "<i>" not in page
    await desk.books.execute("INSERT INTO person_scopes VALUES ('finance', 'channel', 'jd')")
    page = (await browser.get(f"/finance/differences?day={NOW.date()}")).text
    assert "SO1001" not in page and "1 more are of other shops" in page
    assert (await browser.get("/finance/differences?day=x")).status_code == 400
    assert "03:30" in (await browser.get("/finance/differences")).text
