"""Rule tables in the browser: faults at their cells, one order tried, two people publish, one step takes it back."""

import re
from typing import Any

import pytest
from starlette.datastructures import FormData

from console.pages.rules.grid import Grid, acted, grid_in, grid_of
from domain.order import OrderLine, SkuTags
from domain.policy import Policy
from domain.records import SettlePayment
from domain.rules.check import check
from domain.rules.reading import read_table
from domain.rules.tables import SHAPES
from starter.text.sentences.of_rules import advice_in_chinese, in_chinese
from store.orders.orders import OrderStore
from store.rules.defaults import built_in
from store.rules.rule_sets import RuleSetStore
from tests.console.office import ActingDesk, Desk
from tests.console.test_tickets import english
from tests.domain.rules import a_rule_set, a_table
from tests.domain.test_rule_hostile import HOSTILE, MALFORMED
from tests.store.examples import NOW, a_payment, a_write, an_order


def form(grid: Grid, **more: str) -> dict[str, str | list[str]]:
    """As the page sends it."""
    said: dict[str, str | list[str]] = {"column": list(grid.inputs), "draft": "", "based_on": "0", **more}
    for n, row in enumerate(grid.rows):
        said |= {f"id:{n}": row.rule_id, f"note:{n}": row.note}
        said |= {f"c:{n}:{k}": cell for k, cell in enumerate(row.cells)}
    return said


def a_grid(*rows: dict[str, str], inputs: tuple[str, ...] = ("ship_from", "qty")) -> Grid:
    table, _ = read_table(SHAPES["custom_split"], a_table("custom_split", *rows, inputs=inputs))
    assert table is not None
    return grid_of(table)


def test_every_built_in_table_comes_back_from_its_grid_as_it_was() -> None:
    for name, document in built_in().tables.items():
        table, _ = read_table(SHAPES[name], document)
        assert table is not None
        grid = grid_of(table)
        sent = FormData([(k, one) for k, v in form(grid).items() for one in (v if isinstance(v, list) else [v])])
        assert grid_in(SHAPES[name], sent, {}) == grid
        again, faults = read_table(SHAPES[name], grid.document())
        assert again is not None and faults == () and grid_of(again) == grid


def test_buttons_of_the_grid_add_move_and_take_away() -> None:
    grid = a_grid({"ship_from": "'A'", "group": '"a"', "id": "first"}, {"qty": "> 3", "group": '"b"', "id": "R1"})
    grid = acted(acted(grid, "add"), "up:1")
    assert [row.rule_id for row in grid.rows] == ["R1", "first", "R2"]
    wider = acted(grid, "with:sku")
    assert (wider.inputs, wider.rows[1].cells) == (("ship_from", "qty", "sku"), ("'A'", "", "", '"a"'))
    assert acted(acted(wider, "without:2"), "remove:2") == acted(grid, "remove:2")
    for nothing in ("up:99", "remove:x", "with:phone", "without:9", "explode"):
        assert acted(grid, nothing) == grid


@pytest.mark.parametrize(("column", "cell", "said"), MALFORMED + HOSTILE)
def test_every_sentence_has_its_chinese(column: str, cell: str, said: str) -> None:
    (found,) = check(a_rule_set(custom_split=a_table("custom_split", {column: cell, "group": '"x"'})))
    assert re.search("[一-鿿]", in_chinese(found.text)), found.text
    assert not found.advice or re.search("[一-鿿]|contains|matches", advice_in_chinese(found.advice)), found.advice


async def test_what_is_wrong_stands_at_its_cell_while_it_is_written(desk: Desk) -> None:
    browser = await desk.sign_in("rule-editor")
    page = (await browser.get("/rules/edit/custom_split")).text
    assert "发货仓" in page and "子单分组" in page and "!= &#39;WH" not in page
    await desk.stock("TEA", "WH-EAST", 5)
    assert "!= &#39;WH-EAST&#39;" in (await browser.get("/rules/edit/custom_split")).text, "from the books"
    grid = a_grid({"ship_from": "WH-NOWHERE", "group": '"x"'}, {"qty": "> now()", "group": ""})
    answer = (await browser.post("/rules/edit/custom_split/look", **form(grid, marked="0:1 1:0 x"))).text
    at = dict(re.findall(r'id="e-(\d--?\d|\d-\d)" hx-swap-oob="true">(.*?)</div>(?:<|$|\n)', answer, re.DOTALL))
    assert "不是可用的列" in at["0-0"] and "不能依赖时间" in at["1-1"] and "未填写" in at["1-2"]
    assert (at["0-1"], at["1-0"]) == ("", ""), "what was marked and is mended is cleared"
    bare = a_grid({"ship_from": "WH-EAST", "group": '"x"'})
    assert "不能保存" not in (await browser.post("/rules/edit/custom_split/look", **form(bare))).text, "meant as text"
    refused = await browser.post("/rules/edit/custom_split", **form(grid))
    assert refused.status_code == 409 and "未保存" in refused.text and "不是可用的列" in refused.text
    assert await desk.books.fetchval("SELECT count(*) FROM rule_drafts") == 0
    assert (await browser.post("/rules/edit/custom_split/look", **form(grid, act="add"))).text.count('name="id:') == 3


async def test_one_real_order_goes_through_what_stands_in_the_form_and_nothing_is_kept(desk: Desk) -> None:
    await RuleSetStore(desk.books).ensure_built_in(NOW)
    tags = [SkuTags(warehouse=place) for place in ("WH-EAST", "WH-SOUTH")]
    lines = tuple(
        OrderLine(line_id=f"L{n}", sku="TEA", qty=1, unit_price_minor=100, tags=t) for n, t in enumerate(tags)
    )
    orders = OrderStore(desk.books)
    await orders.register(an_order("SO-TRY-1", lines=lines, freight=(), payable_minor=200), "run-1", NOW)
    await orders.settle(
        SettlePayment(write=a_write("SO-TRY-1", payment=a_payment("SO-TRY-1", amount=200)), policy=Policy())
    )
    browser = await english(desk, "rule-editor")
    grid = a_grid({"ship_from": "!= 'WH-EAST'", "group": '"far"', "id": "far"})
    said = form(grid, order_no="SO-TRY-1")
    tried = (await browser.post("/rules/edit/custom_split/try", **said)).text
    assert "This draft" in tried and "condition far (rule far" in tried, tried
    assert "no condition matched: apart from the goods of rule far (this draft" in tried and "rule as-policy" in tried
    assert "no row of conditions, preferred warehouses or carriers matched" in tried and "condition: rule far" in tried
    reset = (await browser.post("/rules/edit/custom_split/try", **said, act="reset")).text
    assert "This draft" not in reset
    assert "planned when it is paid" not in tried
    await orders.register(an_order("SO-TRY-2"), "run-2", NOW)
    unpaid = await browser.post("/rules/edit/custom_split/try", **form(grid, order_no="SO-TRY-2"))
    assert "planned when it is paid" in unpaid.text
    await desk.books.execute("INSERT INTO person_scopes VALUES ('rule-editor', 'channel', 'jd')")
    assert (await browser.post("/rules/edit/custom_split/try", **said)).status_code == 403, "of another shop"
    assert await desk.books.fetchval("SELECT count(*) FROM rule_drafts") == 0


async def test_nobody_writes_rules_who_may_not_and_an_address_that_is_none_is_none(desk: Desk) -> None:
    reader = await english(desk, "finance")
    assert "The built-in tables are in force" in (await reader.get("/rules")).text
    assert (await reader.get("/rules/edit/custom_split")).status_code == 403
    document = (await reader.get("/rules/document?table=separation")).text
    assert "application/vnd.gorules.decision" in document
    editor = await desk.sign_in("rule-editor")
    for path in ("edit/colour", "edit/tariffs?draft=9", "drafts/9", "drafts/x", "versions/9", "document?table=x"):
        assert (await editor.get(f"/rules/{path}")).status_code == 404, path


async def decided(acting: ActingDesk, person: str, number: str) -> Any:
    other = await acting.sign_in(person)
    chosen = re.search(r'name="chosen" value="([^"]+)"', (await other.get(f"/approvals/{number}")).text)
    assert chosen, number
    said = {"chosen": chosen[1], "decision": "approve", "remark": "tried", "page": "1"}
    return await acting.done(await other.post("/approvals", **said))


@pytest.mark.asyncio(loop_scope="session")
async def test_a_table_is_drafted_tried_published_by_another_and_taken_back_in_one_step(acting: ActingDesk) -> None:
    editor = await acting.sign_in("rule-editor")
    grid = a_grid({"ship_from": "!= 'WH-EAST'", "group": '"far"', "id": "far"})
    saved = await acting.done(await editor.post("/rules/edit/custom_split", **form(grid, name="far away")))
    assert saved == "/rules/drafts/1"
    early = await editor.post("/rules/drafts/1/ask")
    assert early.status_code == 409 and "never tried" in early.text
    tried = await editor.post("/rules/drafts/1/simulate", last="10", days="30")
    assert tried.status_code == 200 and "0 个历史订单" in tried.text
    asked = await acting.done(await editor.post("/rules/drafts/1/ask"))
    assert asked == "/rules/drafts/1?asked=A-rules/1-1"
    await decided(acting, "order-ops", "A-rules/1-1")
    page = (await editor.get("/rules/drafts/1")).text
    assert "起生效，为第 1 版" in page, "without a further step"
    late = await editor.post("/rules/edit/carriers", **form(grid_of_built_in("carriers"), draft=""))
    assert late.status_code == 409 and "version 1 has come since" in late.text, "made from version 0"
    nothing = await editor.post("/rules/versions/1/roll-back")
    assert nothing.status_code == 409 and "nothing was drafted" in nothing.text
    back = await acting.done(await editor.post("/rules/versions/0/roll-back"))
    assert back == "/rules/drafts/2?asked=A-rules/2-1"
    await decided(acting, "order-ops", "A-rules/2-1")
    assert "第 2 版自" in (await editor.get("/rules")).text
    assert "无需恢复" in (await editor.get("/rules/versions/0")).text


def grid_of_built_in(name: Any) -> Grid:
    table, _ = read_table(SHAPES[name], built_in().tables[name])
    assert table is not None
    return grid_of(table)
