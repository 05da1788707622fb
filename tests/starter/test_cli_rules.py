"""`oms rules` on a real database: drafted or refused, simulated, published by another person, rolled back."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from domain.order import Address, Buyer, OrderLine, SkuTags, StartOrder
from domain.policy import Policy
from domain.records import SettlePayment
from providers.tokens.issue import key_set, new_key, read_key
from store.orders.orders import OrderStore
from store.pool import Pool, open_pool
from store.rules.rule_sets import RuleSetStore
from store.stock.ledger import StockStore
from tests.domain.rules import a_table
from tests.postgres import database_url
from tests.starter.conftest import EXAMPLES, Oms, Said
from tests.store.examples import a_payment, a_write

__all__ = ["database_url"]

NOW = datetime.now(UTC)
Store = Callable[[Callable[[Pool], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture(autouse=True)
def store(database_url: str, at_desk: None) -> Store:
    async def on_pool(work: Callable[[Pool], Coroutine[Any, Any, Any]]) -> Any:
        pool = await open_pool(database_url, max_size=2)
        try:
            return await work(pool)
        finally:
            await pool.close()

    def run(work: Callable[[Pool], Coroutine[Any, Any, Any]]) -> Any:
        return asyncio.run(on_pool(work))

    return run


@pytest.fixture
def past_orders(store: Store) -> None:
    """Three paid orders: two with lines in WH-EAST, WH-SOUTH and WH-WEST, one in WH-EAST alone; all in stock."""

    async def seed(pool: Pool) -> None:
        for place in ("WH-EAST", "WH-SOUTH", "WH-WEST"):
            await StockStore(pool).receive("TEA", place, 99, f"GR-{place}")
        await RuleSetStore(pool).ensure_built_in(NOW)
        orders = OrderStore(pool)
        for number, places in (("SO-PAST-1", "ESW"), ("SO-PAST-2", "ESW"), ("SO-PAST-3", "E")):
            await orders.register(_order(number, places), "run-1", NOW)
            write = a_write(number, payment=a_payment(number, amount=100 * len(places)), at=NOW)
            await orders.settle(SettlePayment(write=write, policy=Policy()))

    store(seed)


def _order(number: str, places: str) -> StartOrder:
    names = {"E": "WH-EAST", "S": "WH-SOUTH", "W": "WH-WEST"}
    lines = tuple(
        OrderLine(
            line_id=f"L{n}", sku="TEA", qty=1, unit_price_minor=100, weight_g=400, tags=SkuTags(warehouse=names[p])
        )
        for n, p in enumerate(places, start=1)
    )
    return StartOrder(
        order_no=number, channel="shop", channel_order_no=number, placed_at=NOW, buyer=Buyer(buyer_id="b-1"),
        address=Address(recipient="王芳", phone="13800138000", province="浙江省", city="杭州市", street="文三路"),
        lines=lines, payable_minor=100 * len(places),
    )  # fmt: skip


def a_file(folder: Path, name: str = "rules.json", **tables: Any) -> str:
    (folder / name).write_text(json.dumps({"name": "test", "tables": tables}), encoding="utf-8")
    return str(folder / name)


def drafted(oms: Oms, file: str, by: str = "u-ed") -> int:
    said = oms("rules", "draft", file, "--by", by, "--json")
    assert said.code == 0, said
    return int(said.json["draft_no"])


def published(oms: Oms, number: int, person: str = "u-ops") -> Said:
    return oms("rules", "publish", str(number), "--by", "u-ed", "--as", person, "--remark", "tried", "--json")


TOGETHER = a_table("custom_split", {"ship_from": "!= 'WH-EAST'", "group": '"not-east"'})


@pytest.mark.usefixtures("past_orders")
def test_a_draft_is_simulated_published_by_another_person_and_rolled_back(oms: Oms, tmp_path: Path) -> None:
    number = drafted(oms, str(EXAMPLES / "rules.json"))
    other = drafted(oms, a_file(tmp_path, custom_split=TOGETHER))
    early = published(oms, number)
    assert (early.code, "oms rules simulate" in early.err) == (1, True)
    found = oms("rules", "simulate", str(number), "--json").json
    assert (found["orders"], found["compared_with"]) == (3, 0)
    assert (found["before"]["parcels"], found["after"]["parcels"]) == (7, 7)
    assert (found["before"]["cost_minor"], found["before"]["unpriced"], found["after"]["unpriced"]) == (0, 7, 0)
    assert found["after"]["cost_minor"] == 3 * 800 + 4 * 1000
    assert {e["order_no"]: e["difference"] for e in found["effects"]} == dict.fromkeys(
        ("SO-PAST-1", "SO-PAST-2", "SO-PAST-3"), "carrier"
    )
    waiting = oms("rules", "publish", str(number), "--by", "u-ed", "--json").json
    assert (waiting["state"], waiting["approval"]["requested_by"]) == ("waiting", "u-ed")
    assert waiting["approval"]["content"]["simulated"]["orders"] == 3
    for person, code in (("u-ed", 3), ("u-fin", 3)):
        assert published(oms, number, person).code == code
    assert oms("rules", "list", "--json").json[0]["version"] == 0
    assert published(oms, number).json["version"] == 1
    assert published(oms, number).json["version"] == 1, "asking again publishes nothing new"
    late = oms("rules", "publish", str(other), "--by", "u-ed")
    assert (late.code, "version 1 has come since" in late.err) == (1, True)
    back = oms("rules", "rollback", "0", "--by", "u-ed", "--json").json["draft_no"]
    assert published(oms, back).json["version"] == 2
    versions = oms("rules", "list", "--json").json
    assert [(v["version"], v["published_by"]) for v in versions] == [(2, "u-ops"), (1, "u-ops"), (0, "installation")]
    assert versions[0]["rule_set"]["tables"] == versions[2]["rule_set"]["tables"]


@pytest.mark.usefixtures("past_orders")
def test_an_approval_given_elsewhere_publishes_and_a_rejection_asks_anew(oms: Oms, tmp_path: Path) -> None:
    number = drafted(oms, a_file(tmp_path, custom_split=TOGETHER))
    oms("rules", "simulate", str(number))
    first = oms("rules", "publish", str(number), "--by", "u-ed", "--json").json["approval"]["approval_id"]
    assert oms("approve", "reject", first, "--as", "u-ops", "--remark", "not in the season").code == 0
    second = oms("rules", "publish", str(number), "--by", "u-ed", "--json").json["approval"]["approval_id"]
    assert second != first
    shown = oms("approve", "show", second).out
    for text in ("simulated.orders", 'custom_split added R1: ship_from != "WH-EAST"'):
        assert text in shown
    assert [(c["what"], c["row"]) for c in oms("rules", "diff", "--draft", str(number), "--json").json] == [
        ("added", "R1")
    ]
    said = oms("approve", "approve", second, "--as", "u-ops", "--remark", "now it is fine")
    assert (said.code, "rule set version 1 counts for orders placed since" in " ".join(said.out.split())) == (0, True)
    assert [v["version"] for v in oms("rules", "list", "--json").json] == [1, 0], "without a further step"
    nothing = oms("rules", "rollback", "1", "--by", "u-ed")
    assert (nothing.code, "nothing was drafted" in nothing.err) == (1, True), nothing
    assert oms("rules", "publish", str(number), "--by", "u-ed", "--json").json["version"] == 1
    assert "not-east" in oms("rules", "show", "--table", "custom_split").out


@pytest.mark.usefixtures("past_orders")
def test_the_simulation_tells_people_what_would_change(oms: Oms, tmp_path: Path) -> None:
    split = a_table("custom_split", {"sku": "'TEA'", "condition": "order_lines > 1", "group": "ship_from"})
    order = a_table("dimension_order", {"priority": '["supplier", "logistics", "customs", "warehouse"]'})
    number = drafted(oms, a_file(tmp_path, custom_split=split, dimension_order=order))
    said = oms("rules", "simulate", str(number))
    assert "3 past orders against version 0: 0 would travel otherwise" in said.out
    assert "2 with other reasons only, 1 as now" in said.out
    assert "SO-PAST-1" in said.out
    assert "王芳" not in said.out


def test_what_cannot_be_saved_is_told_cell_by_cell(oms: Oms, tmp_path: Path) -> None:
    rows = [{"ship_from": "!= A", "group": '"x"'}, {"ship_from": "> now()", "group": '"x"'}]
    file = a_file(tmp_path, custom_split=a_table("custom_split", *rows))
    for command in (("draft", file, "--by", "u-ed"), ("validate", "--file", file)):
        said = oms("rules", *command)
        assert (said.code, said.err.count("\n")) == (2, 1)
        for text in ("R1", "R2", "ship_from", "no column", "clock"):
            assert text in said.out, said.out
    told = oms("rules", "draft", file, "--json", "--by", "u-ed")
    assert [(f["row"], f["column"]) for f in told.json] == [("R1", "ship_from"), ("R2", "ship_from")]
    assert oms("rules", "list", "--drafts", "--json").json == []


def test_odd_rows_are_warned_of_and_can_be_looked_at_again(oms: Oms, tmp_path: Path) -> None:
    rows = [{"ship_from": "", "group": '"a"'}, {"ship_from": "'B'", "group": '"b"'}]
    number = drafted(oms, a_file(tmp_path, custom_split=a_table("custom_split", *rows)))
    assert "never counts" in oms("rules", "validate", str(number)).out
    assert [f["row"] for f in oms("rules", "validate", str(number), "--json").json] == ["R2"]


@pytest.mark.parametrize("target", ["out.xlsx", "out.json", "folder"])
def test_what_is_exported_can_be_drafted_again_as_it_was(oms: Oms, tmp_path: Path, target: str) -> None:
    number = drafted(oms, str(EXAMPLES / "rules.json"))
    file = str(tmp_path / target)
    assert oms("rules", "export", file, "--draft", str(number)).code == 0
    again = drafted(oms, file)
    before, after = (_rows(oms, n) for n in (number, again))
    assert after == before
    assert oms("rules", "export", file).code == 2, "what is there is left alone"


def _rows(oms: Oms, number: int) -> str:
    return oms("rules", "show", "--draft", str(number)).out.split("\n", 1)[1].replace("'", '"')


def test_a_table_can_be_written_in_a_spreadsheet(oms: Oms, tmp_path: Path) -> None:
    file = tmp_path / "rules.xlsx"
    assert oms("rules", "export", str(file)).code == 0
    book = load_workbook(file)
    sheet = book["custom_split"]
    _write(sheet, {"id": "bulk", "qty": 10, "condition": "stock < qty", "→ group": '"bulk"'})
    tariffs = book["tariffs"]
    row: dict[str, str | int] = {
        "id": "sf", "region": '"浙江省", "上海市"', "→ carrier": '"SF"', "→ first_g": 1000,
        "→ first_fee_minor": 800, "→ extra_g": 500, "→ extra_fee_minor": "200",
    }  # fmt: skip
    _write(tariffs, row)
    book.save(file)
    number = drafted(oms, str(file))
    shown = oms("rules", "show", "--draft", str(number)).out
    for text in ("bulk", "stock < qty", "上海市", "as-policy", "temperature"):
        assert text in shown
    sheet.cell(3, 1, "=1+1")
    book.save(file)
    assert "formula" in oms("rules", "draft", str(file)).err


def _write(sheet: Any, row: dict[str, str | int]) -> None:
    for n, cell in enumerate(sheet[1], start=1):
        sheet.cell(2, n, row.get(cell.value))


def test_a_file_that_is_no_rule_set_is_one_line(oms: Oms, tmp_path: Path) -> None:
    contents = (
        b"{", b"[]", b'{"name": "x", "tables": {"colour": {}}}', b'{"name": "x", "name": "y", "tables": {}}',
        b'{"tables": {}}', b'{"name": "x", "tables": {}, "version": -1}',
    )  # fmt: skip
    for content in contents:
        (tmp_path / "rules.json").write_bytes(content)
        said = oms("rules", "draft", str(tmp_path / "rules.json"))
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), content


def test_an_unknown_number_is_one_line(oms: Oms) -> None:
    for command in ("show", "simulate", "publish", "rollback", "validate", "show --draft"):
        by = ("--by", "u-ed") if command == "rollback" else ()
        said = oms("rules", *command.split(), "7", *by)
        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1), command


@pytest.mark.usefixtures("past_orders")
def test_whoever_brings_keys_of_their_own_publishes_nothing(
    oms: Oms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = drafted(oms, a_file(tmp_path, custom_split=TOGETHER))
    oms("rules", "simulate", str(number))
    pem = new_key()
    monkeypatch.setenv("OMS_TOKENS_PRIVATE_KEY", pem)
    monkeypatch.setenv("OMS_TOKENS_JWKS", json.dumps(key_set(read_key(pem))))
    forged = published(oms, number)
    assert (forged.code, "TOKEN_INVALID" in forged.err) == (3, True)
    assert [v["version"] for v in oms("rules", "list", "--json").json] == [0]


@pytest.mark.usefixtures("past_orders")
def test_who_has_signed_in_decides_without_naming_anybody_and_nobody_else_does(oms: Oms, tmp_path: Path) -> None:
    number = drafted(oms, a_file(tmp_path, custom_split=TOGETHER))
    oms("rules", "simulate", str(number))
    asked = oms("rules", "publish", str(number), "--by", "u-ed", "--json").json["approval"]["approval_id"]
    nobody = oms("approve", "approve", asked, "--remark", "looked at it")
    assert (nobody.code, "oms login" in nobody.err) == (2, True), nobody
    assert oms("login", "--as", "u-ops").code == 0
    said = oms("approve", "approve", asked, "--remark", "looked at it")
    assert (said.code, "u-ops" in said.out) == (0, True), said
