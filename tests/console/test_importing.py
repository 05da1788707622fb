"""Order files in the browser: looked at before anything starts, mapped by choosing, each order whole or not at all."""

import base64
import csv
import io
import re
from typing import Any

import httpx
import pytest

from console.pages.importing import checking
from console.pages.uploads import plain_name
from console.text.language import CHINA
from domain.catalog.records import SkuRecord
from store.approvals.approvals import ApprovalStore
from store.orders.orders import OrderStore
from store.stock.catalog import CatalogStore
from tests.console.office import URL, ActingDesk, Browser, Desk
from tests.console.test_tickets import english
from tests.starter.test_choosing import HEADER, ROW
from tests.store.examples import NOW, an_order

CHANNEL = {"order.channel": "text:", "order.channel.text": "tmall"}


def a_file(*rows: str, encoding: str = "gb18030") -> bytes:
    return "\n".join([",".join(HEADER), *rows]).encode(encoding)


async def send(browser: Browser, act: str, content: bytes, name: str = "orders.csv", **fields: str) -> httpx.Response:
    """As the form of the page sends it."""
    return await browser.http.post(
        f"/import/orders/{act}", data={"csrf": browser.csrf, **fields}, files={"file": (name, content, "text/csv")},
        headers={"origin": URL},
    )  # fmt: skip


def chosen(page: str) -> dict[str, str]:
    """What the form holds, as it was answered."""
    fields = {}
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        found = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = found[1] if found else ""
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page):
        fields[name] = value
    fields |= dict(re.findall(r'name="([a-z_.]+\.text)"[^>]* value="([^"]*)"', page))
    return fields


def bad_rows(page: str) -> list[list[str]]:
    found = re.search(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', page)
    return [] if found is None else list(csv.reader(io.StringIO(base64.b64decode(found[1]).decode("utf-8-sig"))))


async def test_a_file_is_looked_at_and_mapped_and_its_mapping_found_again(desk: Desk) -> None:
    browser = await english(desk, "order-ops")
    content = a_file(ROW, ROW.replace("TM2026-01", "TM2026-02").replace(",2,19.90", ",两,19.90"))
    page = (await send(browser, "look", content)).text
    assert "found: GB18030 (GBK)" in page and "found: comma" in page and "张三" in page
    assert "Not yet" in page and "Start" not in page and "Shop (channel)" in page
    ready = (await send(browser, "look", content, **chosen(page) | CHANNEL)).text
    assert "Start 1 orders" in ready and "CN¥19.90" in ready and "quantity" in ready
    rows = bad_rows(ready)
    assert [row[0] for row in rows] == ["订单编号", "TM2026-02"] and "whole number" in rows[1][-1]
    saved = (await send(browser, "look?save=1", content, **chosen(ready), save_as="Tmall <b>")).text
    assert "Saved as Tmall &lt;b&gt;" in saved
    again = (await send(browser, "look", content, name="other.csv")).text
    assert "Mapping: Tmall &lt;b&gt;" in again and "Start 1 orders" in again
    assert [row.detail for row in await desk.audit("import.mapping_saved")] == [{"name": "Tmall <b>"}]
    told = await browser.get("/import/mappings/Tmall%20%3Cb%3E")
    assert '"const": "tmall"' in told.text and (await browser.get("/import/mappings/none")).status_code == 404
    assert "已保存" in (await (await desk.sign_in("order-ops", "t-2")).get("/import/orders")).text
    assert await OrderStore(desk.books).view("TM2026-01") is None, "looking starts nothing"


async def test_orders_that_are_there_and_goods_that_nobody_knows_are_told_before_the_start(desk: Desk) -> None:
    await OrderStore(desk.books).register(an_order("TM2026-01"), "run", NOW)
    browser = await english(desk, "order-ops")
    page = (await send(browser, "look", a_file(ROW))).text
    told = (await send(browser, "look", a_file(ROW), **chosen(page) | CHANNEL)).text
    assert "(1 are there already)" in told and "does not know these SKUs" in told and ">CUP<" in told


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"), (b"\xff\xfea", "utf-16"), (b'a,b\n"x', "broken after row"), (b"a,a\n1,2", "twice"),
        (b"PK\x03\x04", ""),
    ],
)  # fmt: skip
async def test_a_file_that_is_none_is_refused_in_words(desk: Desk, content: bytes, said: str) -> None:
    answer = await send(await english(desk, "order-ops"), "look", content, name="../../etc/x.csv")
    assert answer.status_code == 200 and said in answer.text and "/" not in plain_name("../../etc/x.csv")


async def test_no_cell_of_the_bad_rows_begins_a_formula(desk: Desk) -> None:
    browser = await english(desk, "order-ops")
    content = a_file(ROW.replace("张三", "=1+1").replace(",2,", ",none,"))
    page = (await send(browser, "look", content)).text
    rows = bad_rows((await send(browser, "look", content, **chosen(page) | CHANNEL)).text)
    assert "'=1+1" in rows[1] and "=1+1" not in rows[1]


async def test_more_rows_than_the_page_reads_are_refused_before_anything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_ROWS", 1)
    browser = await english(desk, "order-ops")
    content = a_file(ROW, ROW.replace("TM2026-01", "TM2026-02"))
    page = (await send(browser, "look", content)).text
    fields = chosen(page) | CHANNEL
    assert "has more than 1 rows" in (await send(browser, "look", content, **fields)).text
    assert (await send(browser, "start", content, **fields)).status_code == 422


async def test_without_workers_nothing_starts_and_another_shop_is_refused(desk: Desk) -> None:
    browser = await english(desk, "order-ops")
    page = (await send(browser, "look", a_file(ROW))).text
    fields = chosen(page) | CHANNEL
    assert (await send(browser, "start", a_file(ROW), **fields)).status_code == 503
    assert (await send(browser, "start", a_file(ROW), **chosen(page))).status_code == 422, "no channel is named"
    assert await desk.books.fetchval("SELECT count(*) FROM orders") == 0


@pytest.mark.asyncio(loop_scope="session")
async def test_each_order_of_a_file_starts_once_in_the_name_of_who_sent_it(acting: ActingDesk) -> None:
    """Of a shop that is not the person's none does."""
    browser = await acting.sign_in("order-ops")
    await browser.get("/language/en")
    await CatalogStore(acting.house.pool).put([SkuRecord(sku="CUP", ship_from=("WH-EAST",))], "test", NOW)
    now = acting.house.now().strftime("%Y-%m-%d %H:%M:%S")
    rows = [ROW.replace("TM2026-01", f"TM2026-{n}").replace("2026-03-02 10:00:00", now) for n in range(10, 13)]
    rows[2] = rows[2].replace("19.90", "much")
    content = a_file(*rows)
    page = (await send(browser, "look", content)).text
    fields: dict[str, Any] = chosen(page) | CHANNEL
    done = (await send(browser, "start", content, **fields)).text
    assert "2 orders have started, 0 were there already, 1 were refused" in done, done
    assert [row[0] for row in bad_rows(done)] == ["订单编号", "TM2026-12"]
    again = (await send(browser, "start", content, **fields)).text
    assert "0 orders have started, 2 were there already, 1 were refused" in again
    await acting.house.pool.execute("INSERT INTO person_scopes VALUES ('order-ops', 'channel', 'jd')")
    other = a_file(rows[0].replace("TM2026-10", "TM2026-20"))
    refused = (await send(browser, "start", other, **fields)).text
    assert "0 orders have started, 0 were there already, 1 were refused" in refused and "not among yours" in refused
    written = [row.detail for row in await acting.desk.audit("console.imported")]
    assert written[-1] == {"started": 2, "rows": 3, "mapping": ""} and len(written) == 3
    found = await acting.house.pool.fetch("SELECT order_no, channel FROM orders ORDER BY 1")
    assert [tuple(row) for row in found] == [("TM2026-10", "tmall"), ("TM2026-11", "tmall")]


@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_paid_at_the_channel_already_ships_once_finance_agrees_to_its_evidence(
    acting: ActingDesk,
) -> None:
    """In the browser alone: a file, its payments, the decision; the same file again tells nothing twice."""
    house, browser = acting.house, await acting.sign_in("order-ops")
    await browser.get("/language/en")
    await CatalogStore(house.pool).put([SkuRecord(sku="CUP", ship_from=("WH-EAST",))], "test", NOW)
    await house.receive("CUP", "WH-EAST", 10)
    now = house.now().astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    row = ROW.replace("TM2026-01", "TM2026-30").replace("2026-03-02 10:00:00", now)
    other = row.replace("TM2026-30", "TM2026-31")
    money = f"1900000001,{now},statement 7"
    content = "\n".join(
        [",".join((*HEADER, "支付单号", "商户号", "付款时间", "付款凭证")), f"{row},4200030,{money}", f"{other},,,,"]
    ).encode()
    first = (await send(browser, "look", content)).text
    assert "Transaction of the payment" not in first, "nobody has said that they are paid"
    page = (await send(browser, "look", content, **chosen(first) | CHANNEL | {"paid": "1"})).text
    fields: dict[str, Any] = chosen(page) | CHANNEL | {"paid": "1"}
    assert fields["paid.merchant_id"] == "column:商户号" and "<dt>Paid at the channel already</dt>" in page
    done = (await send(browser, "start", content, **fields)).text
    assert "2 orders have started" in done and "1 payments are told to finance" in done, done
    again = (await send(browser, "start", content, **fields)).text
    assert "2 were there already" in again and "1 payments are told to finance" in again
    taken = content.replace(b"TM2026-30", b"TM2026-40").replace(b"TM2026-31", b"TM2026-41")
    assert "another order" in (await send(browser, "look", taken, **fields)).text
    refused = (await send(browser, "start", taken, **fields)).text
    assert "2 orders have started" in refused and "its payment was refused" in refused
    assert [r[0] for r in bad_rows(refused)] == ["订单编号", "TM2026-40"]

    (approval,) = await ApprovalStore(house.pool).list()
    finance = await acting.sign_in("finance")
    question = (await finance.get(f"/approvals/{approval.request.approval_id}")).text
    for told in ("4200030", "statement 7", "¥19.90"):
        assert told in question
    seen = f"{approval.request.content_hash} {approval.request.approval_id}"
    answer = await finance.post("/approvals", chosen=seen, decision="approve", remark="seen", page="1")
    assert (await acting.done(answer)).endswith("said=decided")
    found = await house.pool.fetch("SELECT order_no, status, paid_minor FROM orders ORDER BY 1")
    assert [tuple(one) for one in found] == [
        ("TM2026-30", "AWAITING_SHIPMENT", 1990), ("TM2026-31", "PENDING_PAYMENT", 0),
        ("TM2026-40", "PENDING_PAYMENT", 0), ("TM2026-41", "PENDING_PAYMENT", 0),
    ]  # fmt: skip
    booked = await house.pool.fetchrow("SELECT asked_by, approved_by, booked_by FROM outside_bookings")
    assert booked and tuple(booked) == ("order-ops", "finance", "finance")
