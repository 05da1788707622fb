"""Saved views, columns, and what is done with many orders at once: first how many, then a result each."""

import base64
import csv
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from store.console.saved_views import MOST
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.console.office import Desk
from tests.store.examples import NOW, a_settled_order, an_order

LABEL = """
INSERT INTO parcels (waybill_no, carrier, child_no, label_format, label, created_at)
VALUES ($1, 'YTO', $2, $3, $4, now())"""


@pytest.fixture
async def shop(desk: Desk, pool: Pool) -> Desk:
    """One paid order with two parcels in two warehouses, an unpaid one of the same shop, and one of another."""
    orders = OrderStore(pool)
    for sku, warehouse in (("A", "WH-1"), ("B", "WH-2")):
        await desk.stock(sku, warehouse, 10)
    await a_settled_order(orders, "SO20261120")
    await orders.register(an_order("SO20261121", placed_at=NOW + timedelta(hours=1)), "run-2", NOW)
    other = an_order("SO20261122", channel="other", placed_at=NOW + timedelta(hours=2))
    await orders.register(other, "run-3", NOW)
    for n, kind in ((1, "PDF"), (2, "ZPL")):
        await pool.execute(LABEL, f"YT{n}", f"SO20261120-0{n}", kind, f"label {n}".encode())
    return desk


async def test_a_list_is_saved_for_oneself_and_removed(shop: Desk) -> None:
    browser = await shop.sign_in("cs-agent")
    answer = await browser.post(
        "/orders-views", name="unpaid", query="status=PENDING_PAYMENT&cols=status&csrf=x&after=y"
    )
    assert answer.headers["location"] == "/orders?status=PENDING_PAYMENT&cols=status"
    page = (await browser.get(answer.headers["location"])).text
    assert 'href="/orders?status=PENDING_PAYMENT&amp;cols=status" aria-current="true"' in page
    other = (await (await shop.sign_in("finance")).get("/orders")).text
    assert "unpaid" not in other
    await browser.post("/orders-views", name="unpaid", query="q=b-1")
    page = (await browser.get("/orders")).text
    assert page.count("?q=b-1") == 1 and "cols=status" not in page, "under the same name it is saved anew"
    await browser.post("/orders-views/forget", name="unpaid", query="")
    assert "unpaid" not in (await browser.get("/orders")).text


async def test_no_more_lists_are_saved_than_stand_above_the_page(shop: Desk, pool: Pool) -> None:
    browser = await shop.sign_in("cs-agent")
    for n in range(MOST):
        assert (await browser.post("/orders-views", name=f"v{n}", query="")).status_code == 303
    assert (await browser.post("/orders-views", name="one more", query="")).status_code == 409
    assert (await browser.post("/orders-views", name="v0", query="q=1")).status_code == 303, "one that is there"
    assert await pool.fetchval("SELECT count(*) FROM console_views") == MOST


@pytest.mark.parametrize("query", ["status=NONSENSE", "cols=drop", "only=x", "&".join("a=1" for _ in range(50))])
async def test_a_list_that_does_not_exist_is_not_saved(shop: Desk, pool: Pool, query: str) -> None:
    browser = await shop.sign_in("cs-agent")
    assert (await browser.post("/orders-views", name="mine", query=query)).status_code == 400
    assert (await browser.post("/orders-views", name=" ", query="")).status_code == 422
    assert await pool.fetchval("SELECT count(*) FROM console_views") == 0


async def test_columns_are_chosen_by_ticks_and_stand_in_the_address(shop: Desk) -> None:
    browser = await shop.sign_in("cs-agent")
    answer = await browser.get("/orders?status=PENDING_PAYMENT&column=buyer_id&column=status")
    assert answer.headers["location"] == "/orders?status=PENDING_PAYMENT&cols=status.buyer_id"
    page = (await browser.get(answer.headers["location"])).text
    assert re.findall(r'<th scope="col">([^<]+)</th>', page) == ["订单", "状态", "买家"]
    usual = await browser.get(
        "/orders?column=status&column=waiting_for&column=payment_status&column=payable_minor&column=placed_at"
    )
    assert usual.headers["location"] == "/orders", "the usual ones need no words"
    assert (await browser.get("/orders?cols=password")).status_code == 400


async def test_before_many_are_touched_it_says_how_many_and_which(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await shop.sign_in("order-ops")
    page = (await browser.get("/orders-batch?act=refresh&of=ticked&chosen=SO20261120&chosen=SO20261121&chosen=X")).text
    assert "2 个订单" in page and "SO20261122" not in page
    page = (await browser.get("/orders-batch?act=export&of=filtered&status=PENDING_PAYMENT")).text
    assert "2 个订单" in page and 'value="PENDING_PAYMENT"' in page
    assert "请返回勾选订单" in (await browser.get("/orders-batch?act=refresh")).text
    page = (await browser.get("/orders-batch?act=print&of=filtered")).text
    assert "3 个订单" in page and "2 个包裹有面单" in page
    for wrong in ("act=drop", "act=refresh&of=x", "act=export&status=x"):
        assert (await browser.get(f"/orders-batch?{wrong}")).status_code == 400
    monkeypatch.setattr("console.pages.orders.batch.MOST", 1)
    assert (await browser.get("/orders-batch?act=refresh&chosen=A&chosen=B")).status_code == 400


async def test_nobody_does_with_many_what_they_may_not_do_with_one(shop: Desk, pool: Pool) -> None:
    browser = await shop.sign_in("finance")
    assert "act=print" not in (await browser.get("/orders")).text
    assert (await browser.get("/orders-batch?act=print&of=filtered")).status_code == 400
    assert (await browser.post("/orders-batch/print", chosen="SO20261120")).status_code == 403
    await pool.execute("INSERT INTO person_scopes VALUES ('order-ops', 'channel', 'shop')")
    browser = await shop.sign_in("order-ops")
    for act in ("refresh", "print"):
        refused = await browser.post(f"/orders-batch/{act}", chosen=["SO20261120", "SO20261122"])
        assert refused.status_code == 403
    assert await pool.fetchval("SELECT count(*) FROM label_prints") == 0, "refused before the first"


async def test_labels_are_given_out_as_one_file_with_a_row_each(shop: Desk, pool: Pool) -> None:
    browser = await shop.sign_in("warehouse")
    page = (await browser.post("/orders-batch/print", chosen=["SO20261120", "SO20261121"])).text
    assert page.count("第 1 张") == 2 and "没有面单" in page
    file = base64.b64decode(page.split("base64,")[1].split('"')[0])
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "SO20261120-01.pdf": b"label 1", "labels.zpl": b"label 2\n",
        }  # fmt: skip
    again = (await browser.post("/orders-batch/print", chosen="SO20261120")).text
    assert again.count("请填写再次打印的原因") == 2 and "base64" not in again
    await browser.post("/orders-batch/print", chosen="SO20261120", reason="paper jam")
    rows = [(row.actor, row.action, row.detail["copy"]) for row in await shop.audit("label.reprint")]
    assert rows == [("warehouse", "label.reprint", 2)] * 2


async def test_who_sees_one_warehouse_prints_its_labels_only(shop: Desk, pool: Pool) -> None:
    await pool.execute("INSERT INTO person_scopes VALUES ('warehouse', 'warehouse', 'WH-2')")
    browser = await shop.sign_in("warehouse")
    page = (await browser.post("/orders-batch/print", chosen="SO20261120")).text
    assert "SO20261120-02" in page and "SO20261120-01" not in page


async def test_what_is_filtered_is_a_file_without_formulas_and_a_row_of_the_audit(shop: Desk, pool: Pool) -> None:
    browser = await shop.sign_in("cs-agent")
    await pool.execute("UPDATE orders SET buyer_id = '=1+1'")
    cols = "status.payable_minor.placed_at.buyer_id"
    answer = await browser.post("/orders-batch/export", of="filtered", status="PENDING_PAYMENT", cols=cols)
    assert answer.headers["content-disposition"].startswith('attachment; filename="orders-')
    head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head == ["订单", "状态", "应付", "下单时间", "买家", "币种"]
    assert [row[:2] for row in rows] == [["SO20261122", "待付款"], ["SO20261121", "待付款"]]
    assert rows[0][4] == "'=1+1" and re.fullmatch(r"\d+\.\d\d", rows[0][2])
    (row,) = await shop.audit("console.exported")
    assert row.detail == {"what": "orders", "rows": 2, "query": f"status=PENDING_PAYMENT&cols={cols}"}
    await pool.execute("INSERT INTO person_scopes VALUES ('cs-agent', 'channel', 'shop')")
    browser = await shop.sign_in("cs-agent", token_id=f"again-{datetime.now(UTC).timestamp()}")
    ticked = await browser.post("/orders-batch/export", of="ticked", chosen=["SO20261120", "SO20261122"])
    assert "SO20261120" in ticked.text and "SO20261122" not in ticked.text


async def test_where_nobody_can_be_asked_each_order_says_so(shop: Desk) -> None:
    browser = await shop.sign_in("cs-agent")
    page = (await browser.post("/orders-batch/refresh", chosen=["SO20261120", "SO20261121"])).text
    assert page.count("bg-red-lt") == 2 and "什么都没有发送" in page


async def test_many_are_held_with_a_kind_and_a_reason_or_none_is(shop: Desk, pool: Pool) -> None:
    browser = await shop.sign_in("cs-agent")
    page = (await browser.get("/orders-batch?act=hold&chosen=SO20261120")).text
    assert 'name="kind"' in page and 'name="key"' in page
    asked = {"chosen": "SO20261120", "kind": "address", "reason": "the buyer rang", "key": "k"}
    for wrong in ({"kind": "customs"}, {"kind": "nonsense"}, {"key": ""}):
        assert (await browser.post("/orders-batch/hold", **{**asked, **wrong})).status_code == 400
    assert (await browser.post("/orders-batch/hold", **{**asked, "reason": ""})).status_code == 422
    page = (await browser.post("/orders-batch/hold", **asked)).text
    assert page.count("bg-red-lt") == 1 and "什么都没有发送" in page
    assert "没有被暂停的" in (await browser.post("/orders-batch/release", chosen="SO20261120", remark="ok")).text
    await pool.execute("INSERT INTO person_scopes VALUES ('order-ops', 'channel', 'shop')")
    browser = await shop.sign_in("order-ops")
    for act in ("hold", "release"):
        many = ["SO20261120", "SO20261122"]
        refused = await browser.post(
            f"/orders-batch/{act}", chosen=many, kind="address", reason="x", remark="x", key="k"
        )
        assert refused.status_code == 403
