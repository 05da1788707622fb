"""`oms order explain` on a real database: the split of a paid order in words, and planned again."""

from domain.order import StartOrder
from store.stock.ledger import StockStore
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import NUMBER, Store, database_url, paid_order, store

MERGED = """
INSERT INTO child_orders SELECT (jsonb_populate_record(c, $2::jsonb)).* FROM child_orders c WHERE child_no = $1"""

__all__ = ["database_url", "paid_order", "store"]


def test_a_split_is_explained_with_rules_versions_and_what_would_have_avoided_it(
    oms: Oms, paid_order: StartOrder
) -> None:
    said = oms("order", "explain", NUMBER)
    assert said.code == 0, said.err
    for words in (
        "warehouse WH-EAST (no rule matched: divided",
        "stock backorder (rule stock/in_stock_first, policy version 0)",
        f"with {NUMBER}-01 if",
        "1 more units of MUG-RED in WH-EAST",
    ):
        assert words in said.out
    assert "仓库 WH-EAST(没有规则匹配,按策略的拆单顺序" in oms("order", "explain", NUMBER, "--lang", "zh").out


def test_one_parcel_is_explained_alone_and_machines_get_the_inputs(oms: Oms, paid_order: StartOrder) -> None:
    told = oms("order", "explain", f"{NUMBER}-03", "--json").json
    assert [child["child_no"] for child in told["children"]] == [f"{NUMBER}-03"]
    assert {b["sku"] for b in told["inputs"]["stock"]} == {"MUG-RED", "TEA-GREEN-250"}
    assert "王" not in str(told) and "phone" not in str(told), "nothing personal is kept with a plan"


def test_a_plan_is_made_again_to_the_same_result(oms: Oms, paid_order: StartOrder) -> None:
    said = oms("order", "explain", NUMBER, "--replay")
    assert (said.code, "to the same result" in said.out) == (0, True), said.err
    assert oms("order", "explain", NUMBER, "--replay", "--json").json["same"] is True


def test_a_plan_that_comes_out_differently_is_shown_beside_the_stored_one(
    oms: Oms, paid_order: StartOrder, store: Store
) -> None:
    tampered = """ALTER TABLE order_plans DISABLE TRIGGER order_plans_only_grow;
        UPDATE order_plans SET explanation = jsonb_set(explanation, '{inputs,stock,0,available}', '9')"""
    store(lambda pool: pool.execute(tampered))
    said = oms("order", "explain", NUMBER, "--replay")
    assert (said.code, "planned differently now" in said.out) == (1, True)


def test_the_nearest_change_is_that_of_now_and_says_as_of_when(oms: Oms, paid_order: StartOrder, store: Store) -> None:
    before = oms("order", "explain", NUMBER, "--json").json
    assert before["nearest_as_of"] > before["planned_at"]
    store(lambda pool: StockStore(pool).receive("MUG-RED", "WH-EAST", 100, "GR-2"))
    said = oms("order", "explain", NUMBER)
    assert "1 more units of MUG-RED in WH-EAST" not in said.out, "a hundred lie there"
    assert "planned now, they would travel together" in said.out and "nearest change as of" in said.out
    assert "现在拆单会同包" in oms("order", "explain", NUMBER, "--lang", "zh").out
    store(lambda pool: pool.execute("UPDATE child_orders SET status = 'SHIPPED' WHERE child_no = $1", f"{NUMBER}-01"))
    after = oms("order", "explain", NUMBER, "--json").json
    assert after["nearest_as_of"] == after["planned_at"], "what has left is not planned again"
    assert "1 more units of MUG-RED in WH-EAST" in oms("order", "explain", NUMBER).out


def test_a_parcel_that_was_made_later_is_shown_with_those_that_it_was_made_of(
    oms: Oms, paid_order: StartOrder, store: Store
) -> None:
    made_of = {"child_no": f"{NUMBER}-04", "nn": 4, "replaces": [f"{NUMBER}-01", f"{NUMBER}-03"]}
    store(lambda pool: pool.execute(MERGED, f"{NUMBER}-01", made_of))
    for number in (NUMBER, f"{NUMBER}-04"):
        said = oms("order", "explain", number)
        assert f"{NUMBER}-04: WH-EAST" in said.out and f"{NUMBER}-01, {NUMBER}-03" in said.out, said.err
    (later,) = oms("order", "explain", NUMBER, "--json").json["later"]
    assert (later["child_no"], later["of"]) == (f"{NUMBER}-04", [f"{NUMBER}-01", f"{NUMBER}-03"])


def test_an_order_without_a_plan_says_so_in_one_line(oms: Oms, store: Store) -> None:
    said = oms("order", "explain", "SO-NOWHERE")
    assert (said.code, said.err.count("\n")) == (1, 1) and "no plan is stored" in said.err
