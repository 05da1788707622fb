"""What the runner says about files that are wrong, incomplete or go beyond what is built."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.scenarios.__main__ import main
from bench.scenarios.blocks import BLOCKS, Block
from bench.scenarios.compare import differences
from bench.scenarios.document import NotYet, Scenario, read_text
from bench.scenarios.environment import Servers
from bench.scenarios.plain_yaml import Malformed, load
from bench.scenarios.report import lines
from bench.scenarios.run import ScenarioResult, Verdict, run

ORDER = {"order_no": "SO1", "lines": [{"id": "L1", "sku": "A", "qty": 1, "unit_price": 5}]}
PRICE = {
    "goods_gross": 5, "line_discount": 0, "coupon": 0, "goods_net": 5, "freight": 0, "payable": 5,
    "lines": [{"id": "L1", "gross": 5, "coupon": 0, "net": 5, "freight": 0, "paid": 5}],
}  # fmt: skip


def scenario(given: dict[str, Any], expected: dict[str, Any], **file: Any) -> Scenario:
    return Scenario("X1", given, expected, **file)


def notes(result: ScenarioResult) -> str:
    return "\n".join(note for block in result.blocks for note in block.notes)


async def test_a_scenario_passes_when_every_block_does(servers: Servers) -> None:
    assert (await run(scenario({"order": ORDER}, {"pricing": PRICE}), servers)).verdict is Verdict.PASS


async def test_a_difference_names_its_path_and_both_values(servers: Servers) -> None:
    result = await run(scenario({"order": ORDER}, {"pricing": PRICE | {"payable": 6}}), servers)
    assert list(lines([result])) == [
        "X1 pricing FAIL",
        "    payable: expected 6, got 5",
        "scenarios: 0 passed, 1 failed",
    ]


async def test_what_is_not_built_counts_neither_as_passed_nor_as_failed(servers: Servers) -> None:
    async def push(_scenario: Scenario, _servers: Servers) -> Any:
        raise NotYet("nobody sends it")

    stated = scenario({"order": ORDER, "push": {}}, {"pricing": PRICE, "push": {}, "assertions": ["so it is"]})
    result = await run(stated, servers, dict(BLOCKS) | {"push": push})
    assert result.verdict is Verdict.NOT_YET
    assert list(lines([result])) == [
        "X1 pricing PASS",
        "X1 push not yet",
        "not yet: 1 blocks (push 1)",
        "neither passed nor failed: 1 scenarios (X1)",
        "not checked here: 1 assertions in words",
        "scenarios: 0 passed, 0 failed",
    ]


async def test_a_refund_is_a_case_that_has_really_run(servers: Servers) -> None:
    given = {"order": ORDER, "cases": [{"id": "A1", "type": "refund_only", "lines": {"L1": 1}}]}
    paid = {"case": "A1", "goods": 5, "freight": 0, "total": 5, "route": ["CS_SUPERVISOR"]}
    assert (await run(scenario(given, {"refunds": [paid]}), servers)).verdict is Verdict.PASS


async def test_a_case_about_more_units_than_the_order_has_is_a_fault_of_the_file(servers: Servers) -> None:
    given = {"order": ORDER, "cases": [{"id": "A1", "type": "refund_only", "lines": {"L1": 999}}]}
    assert notes(await run(scenario(given, {"refunds": []}), servers)).startswith("input.cases: A1")


async def test_a_scenario_that_states_nothing_never_passes(servers: Servers) -> None:
    assert (await run(scenario({"order": ORDER}, {"assertions": ["x"]}), servers)).verdict is Verdict.NOT_YET


async def test_a_misspelled_input_block_fails_even_where_the_rest_passes(servers: Servers) -> None:
    result = await run(scenario({"order": ORDER, "stok": {}}, {"pricing": PRICE}), servers)
    assert (result.verdict, notes(result)) == (Verdict.FAIL, "unknown input block")


async def test_a_misspelled_expected_block_fails(servers: Servers) -> None:
    result = await run(scenario({"order": ORDER}, {"pricing": PRICE, "prising": {}}), servers)
    assert (result.verdict, notes(result)) == (Verdict.FAIL, "unknown expected block")


TIMER = {"name": "t", "start": "2026-03-02T20:00:00+08:00"}
EVENT = {"id": "e", "type": "GO", "at": "2026-03-02T20:00:00+08:00"}
FSM = {"fsm": {"GO": {"from": ["A"], "to": "B"}}, "fsm_rank": ["A", "B"]}
RETRY = {
    "name": "r", "start": "2026-03-04T10:00:00+08:00", "max_retries": 1, "backoff_s": [5],
    "results": [{"ok": False, "takes_s": 1}],
}  # fmt: skip
LATE = {"channel_query": "NOTPAY", "close_order_called": True, "late_payment_at": "2026-03-02T20:30:40+08:00"}
CASE = {"id": "LATE1", "type": "late_payment_auto_refund", "lines": {"L1": 1}, "approval_exempt": True}
LINE = ORDER["lines"][0] if isinstance(ORDER["lines"], list) else {}
TAGGED = {"order_no": "SO1", "lines": [LINE | {"tags": {"warehouse": "W"}}]}


@pytest.mark.parametrize(
    ("given", "block", "text"),
    [
        ({}, "pricing", "input.order is missing"),
        ({"order": {"order_no": "S", "lines": []}}, "pricing", "input.order.lines: "),
        ({"order": ORDER | {"lines": [LINE | {"qty": 0}]}}, "pricing", "input.order.lines.0.qty: "),
        ({"order": ORDER | {"lines": [LINE | {"qty": True}]}}, "pricing", "input.order.lines.0.qty: "),
        ({"order": ORDER | {"lines": [LINE | {"unit_price": 1.5}]}}, "pricing", "input.order.lines.0.unit_price: "),
        ({"order": ORDER | {"lines": [LINE | {"price": 1}]}}, "pricing", "input.order.lines.0.price: "),
        ({"order": ORDER | {"freight": [{"amount": 1, "lines": []}]}}, "pricing", "names no line"),
        ({"order": ORDER, "split_priority": []}, "split", "lines L1 have no tags"),
        ({"order": TAGGED, "split_priority": ["colour"]}, "split", "input.split_priority.0: "),
        ({"order": TAGGED, "split_priority": ["customs", "customs"]}, "split", "stands twice"),
        ({"order": TAGGED}, "split_alt", "input.split_priority_alt is missing"),
        ({"order": TAGGED, "stock": {"L2": 1}}, "split", "the order has no lines L2"),
        ({"order": TAGGED, "stock": {"L1": -1}}, "split", "input.stock.L1: "),
        ({"timers": [TIMER]}, "timers", "exactly one of"),
        ({"timers": [TIMER | {"days": 1, "hours": 1}]}, "timers", "exactly one of"),
        ({"timers": [TIMER | {"days": 10**9}]}, "timers", "beyond the calendar"),
        ({"timers": [TIMER | {"days": 1, "start": "2026-03-02T20:00:00"}]}, "timers", "input.timers.0.start: "),
        ({"retries": [RETRY]}, "retries", "result 2 is missing"),
        ({"initial_state": "Z", "events": [EVENT]}, "events", "Z is not in fsm_rank"),
        ({"initial_state": "A", "events": [EVENT | {"type": "GOO"}]}, "events", "no transition is listed for GOO"),
        ({"order": ORDER, "cases": [CASE]}, "refunds", "input.late_payment is missing"),
        (
            {"order": ORDER, "cases": [CASE], "late_payment": LATE | {"close_order_called": False}},
            "refunds",
            "no payment can be late",
        ),
        (
            {"order": ORDER, "cases": [CASE | {"lines": {"L1": 2}}], "late_payment": LATE},
            "refund_totals",
            "LATE1: line L1 has 1 units",
        ),
    ],
)
async def test_input_that_does_not_follow_the_format_fails_and_names_the_place(
    given: dict[str, Any], block: str, text: str, servers: Servers
) -> None:
    result = await run(scenario(given, {block: {}}, **FSM), servers)
    assert result.verdict is Verdict.FAIL
    assert text in notes(result)


async def test_events_without_a_table_fail(servers: Servers) -> None:
    result = await run(scenario({"initial_state": "A", "events": [EVENT]}, {"events": {}}), servers)
    assert "need fsm and fsm_rank" in notes(result)


async def test_events_run_on_any_table(servers: Servers) -> None:
    ids = {"applied": ["e"], "duplicates": [], "held_then_applied": [], "recorded_stale": [], "left_held": []}
    result = await run(
        scenario({"initial_state": "A", "events": [EVENT]}, {"events": {"final_state": "B"} | ids}, **FSM), servers
    )
    assert result.verdict is Verdict.PASS


async def test_a_line_discount_comes_off_and_is_shown_where_the_file_states_it(servers: Servers) -> None:
    order = {"order_no": "SO1", "lines": [LINE | {"discount": 2}]}
    line = {"id": "L1", "gross": 5, "discount": 2, "coupon": 0, "net": 3, "freight": 0, "paid": 3}
    price = PRICE | {"line_discount": 2, "goods_net": 3, "payable": 3, "lines": [line]}
    assert (await run(scenario({"order": order}, {"pricing": price}), servers)).verdict is Verdict.PASS


async def test_a_split_without_a_priority_follows_the_default(servers: Servers) -> None:
    child = {"child_no": "SO1-01", "reasons": [], "lines": {"L1": 1}, "net": 5, "freight": 0, "paid": 5}
    result = await run(scenario({"order": TAGGED}, {"split": [child | {"status": "RELEASED"}]}), servers)
    assert result.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1", "unknown keys a"),
        ("[]", "a mapping"),
        ("schema_version: 2\nscenarios: []", "schema_version is 2"),
        ("schema_version: 1\nscenarios: []", "at least one scenario"),
        ("schema_version: 1\nscenarios: [{id: A, input: {}, expected: {}, inputs: {}}]", "unknown keys inputs"),
        ("schema_version: 1\nscenarios: [{id: A, input: {}}]", "A.expected"),
        ("schema_version: 1\nscenarios: [{id: 1, input: {}, expected: {}}]", r"scenarios\[0\].id"),
        ("schema_version: 1\nscenarios: [&a {id: A, input: {}, expected: {}}, *a]", "aliases"),
        ("schema_version: 1\nschema_version: 1", "stands twice"),
        ("? [a]\n: 1", "not a plain text"),
        ("[" * 20_000, "too deeply"),
        (
            "schema_version: 1\nscenarios: [{id: A, input: {}, expected: {}}, {id: A, input: {}, expected: {}}]",
            "ids stand twice: A",
        ),
    ],
)
def test_a_malformed_file_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read_text(text)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"a: [1", "not YAML"), (b"\xff", "not UTF-8"), (b"a: \x00", "not YAML"), (None, "No such file")],
)
def test_an_unreadable_file_is_an_error_not_a_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, why: str
) -> None:
    path = tmp_path / "f.yaml"
    if content is not None:
        path.write_bytes(content)
    assert main([str(path)]) == 2
    printed = capsys.readouterr()
    assert why in printed.err and printed.out == ""


def test_a_failing_file_exits_with_one(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    one = {"id": "A", "title": "t", "input": {"order": ORDER}, "expected": {"pricing": PRICE | {"payable": 4}}}
    path.write_text(yaml.safe_dump({"schema_version": 1, "scenarios": [one]}), "utf-8")
    assert main([str(path)]) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-03-02T20:00:00+08:00", "2026-03-02T20:00:00+08:00"),
        ("2026-03-02", "2026-03-02"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("10:30", "10:30"),
        ("yes", "yes"),
        ("1e3", "1e3"),
        ("null", None),
        ("true", True),
        ("-5", -5),
        ("0.5", 0.5),
        ("", None),
    ],
)
def test_yaml_values_are_what_they_look_like(text: str, value: object) -> None:
    assert load(f"[{text}]" if text else "a:") == ([value] if text else {"a": None})


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {}, ["a: expected 1, got nothing"]),
        ({}, {"a": 1}, ["a: expected nothing, got 1"]),
        ([1, 2], [2, 1], ["[0]: expected 1, got 2", "[1]: expected 2, got 1"]),
        ([1], [1, 2], ["[1]: expected nothing, got 2"]),
        (1, True, ["block: expected 1, got True"]),
        (None, 0, ["block: expected None, got 0"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ["a[0].b: expected 1, got 2"]),
        ("2026-03-02T20:00:00+08:00", "2026-03-02T12:00:00Z", []),
        ("2026-03-02T20:00:00+08:00", None, ["block: expected '2026-03-02T20:00:00+08:00', got None"]),
        ([], {}, ["block: expected [], got {}"]),
    ],
)
def test_differences_are_exact(expected: object, actual: object, found: list[str]) -> None:
    assert list(differences(expected, actual)) == found


async def test_another_player_can_stand_in_a_blocks_slot(servers: Servers) -> None:
    played: list[str] = []

    async def through_a_workflow(given: Scenario, _: Servers) -> object:
        played.append(given.id)
        return PRICE

    blocks: dict[str, Block] = {"pricing": through_a_workflow}
    assert (await run(scenario({"order": ORDER}, {"pricing": PRICE}), servers, blocks)).verdict is Verdict.PASS
    assert played == ["X1"]
