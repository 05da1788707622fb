"""At the desk: payout gate, inspection, exchange gate, stock ledger and return codes (S23, S25, S26, R49-R56)."""

import secrets
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.returns import ledger
from domain.returns.codes import ALPHABET, code_of, read_code
from domain.returns.enums import Grade, ReturnType
from domain.returns.exchange import ExchangeState, LabelResult, label_gate
from domain.returns.gate import GateResult, GateState, refund_gate
from domain.returns.inspection import Expected, ScanResult, UnitScan, judge_scan, outcome
from domain.returns.ledger import Balance, Op, WouldGoNegative, apply

R = ScanResult
CODE = "RC-7Q2K9D"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, "NOT_APPROVED"),
        ({"received": True, "inspected": True}, "NOT_APPROVED"),
        ({"approved": True}, "GOODS_NOT_RECEIVED"),
        ({"approved": True, "received": True}, "NOT_INSPECTED"),
        ({"approved": True, "received": True, "inspected": True}, "OK"),
        ({"approved": True, "received": True, "inspected": True, "accepted_units": 0}, "NOTHING_ACCEPTED"),
        ({"approved": True, "received": True, "inspected": True, "finance_needed": True}, "FINANCE_REQUIRED"),
        ({"approved": True, "received": True, "inspected": True, "paid_out": True}, "DUPLICATE"),
        ({"type": ReturnType.REFUND_ONLY}, "NOT_APPROVED"),
        ({"type": ReturnType.REFUND_ONLY, "approved": True}, "OK"),
        ({"type": ReturnType.CANCEL_UNSHIPPED, "approved": True, "finance_needed": True}, "FINANCE_REQUIRED"),
    ],
)
def test_no_money_before_approval_receipt_and_inspection(state: dict[str, Any], expected: str) -> None:
    assert refund_gate(GateState(**state)) is GateResult(expected)


@pytest.mark.parametrize(
    ("inspected", "passed", "expected"),
    [
        (False, False, LabelResult.RETURN_NOT_INSPECTED),
        (False, True, LabelResult.RETURN_NOT_INSPECTED),
        (True, False, LabelResult.OUTBOUND_QC_REQUIRED),
        (True, True, LabelResult.OK),
    ],
)
def test_no_label_before_both_inspections(inspected: bool, passed: bool, expected: LabelResult) -> None:
    assert label_gate(ExchangeState(inspected=inspected, outbound_qc_passed=passed)) is expected


def scans(expected: list[Expected], *given: UnitScan) -> list[ScanResult]:
    """One after another at one desk."""
    results = []
    for scan in given:
        verdict = judge_scan(CODE, expected, scan)
        results.append(verdict.result)
        expected[:] = [
            line.model_copy(update={"done": line.done + (line.line_id == verdict.line_id)}) for line in expected
        ]
    return results


def a_scan(code: str = CODE, grade: Grade = Grade.GOOD, **changes: Any) -> UnitScan:
    return UnitScan(**{"scanned": code, "grade": grade, "photos": 1, **changes})


def test_s25_wrong_code_three_grades_and_one_too_many() -> None:
    lines = [Expected(line_id="L1", sku="A", units=3)]
    found = scans(lines, a_scan("RC-7Q2K9X"), a_scan(), a_scan(grade=Grade.MINOR), a_scan(grade=Grade.SCRAP), a_scan())
    assert found == [R.UNKNOWN_CODE, R.RESTOCK, R.SECOND_HAND, R.SCRAP, R.QTY_EXCEEDED]
    assert outcome(lines, found).model_dump() == {"accepted": 3, "missing": 0, "surplus": 1, "wrong": 0}


@pytest.mark.parametrize(
    ("grade", "expected"),
    [(Grade.GOOD, R.RESTOCK), (Grade.MINOR, R.PHOTO_REQUIRED), (Grade.SCRAP, R.PHOTO_REQUIRED)],
)
def test_worse_than_good_wants_a_photo(grade: Grade, expected: ScanResult) -> None:
    lines = [Expected(line_id="L1", sku="A", units=1)]
    assert scans(lines, a_scan(grade=grade, photos=0)) == [expected]
    assert lines[0].done == (expected is R.RESTOCK)


def test_the_article_decides_the_line_and_another_article_counts_for_nothing() -> None:
    lines = [Expected(line_id="L1", sku="A", units=1), Expected(line_id="L2", sku="B", units=1)]
    assert scans(lines, a_scan(sku="B"), a_scan(sku="C"), a_scan(sku="B"), a_scan()) == [
        *(R.RESTOCK, R.WRONG_ITEM, R.QTY_EXCEEDED, R.RESTOCK),
    ]
    assert [line.done for line in lines] == [1, 1]


def test_a_shortage_needs_a_person() -> None:
    lines = [Expected(line_id="L1", sku="A", units=3, done=2)]
    assert outcome(lines, []).missing == 1
    assert outcome(lines, []).needs_a_person


def test_scanners_add_blanks_and_small_letters() -> None:
    assert scans([Expected(line_id="L1", sku="A", units=1)], a_scan(" rc-7q2k9d\n")) == [R.RESTOCK]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list(Op)), max_size=30))
def test_stock_is_never_negative_and_frozen_stock_leaves_only_by_inspection_or_closing(ops: list[Op]) -> None:
    balance, frozen = Balance(available=2), 0
    for op in ops:
        try:
            balance = apply(balance, op, 1)
        except WouldGoNegative:
            continue
        frozen += {Op.APPROVE_RETURN: 1, Op.RESERVE: 0, Op.SHIP: 0}.get(op, -1)
        assert min(balance.model_dump().values()) >= 0
        assert balance.frozen == frozen


def test_s25_and_s26_ledgers() -> None:
    balance = Balance(available=50, second_hand=4, scrapped=1)
    for op, qty in ((Op.APPROVE_RETURN, 3), (Op.GRADE_GOOD, 1), (Op.GRADE_MINOR, 1), (Op.GRADE_SCRAP, 1)):
        balance = apply(balance, op, qty)
    assert balance == Balance(available=51, second_hand=5, scrapped=2)
    replaced = apply(apply(Balance(available=5), Op.RESERVE, 1), Op.SHIP, 1)
    assert replaced == Balance(available=4)


def test_moves_of_one_unit_have_one_name() -> None:
    first = ledger.grade("RT-CASE-1", "L1", 2, "A", "WH-1", Grade.MINOR)
    assert (first.ref, first.kind, first.qty) == ("RT-CASE-1/L1/2", "grade_minor", 1)


# --- return codes -----------------------------------------------------------------------------------------------------


def test_a_code_has_a_hundred_bits_of_chance_and_no_two_letters_look_alike() -> None:
    codes = {code_of(secrets.token_bytes(13)) for _ in range(2_000)}
    assert len(codes) == 2_000
    assert not set("ILOU") & set(ALPHABET)
    assert 5 * 20 >= 80


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=13, max_size=13), st.integers(0, 20), st.sampled_from(ALPHABET))
def test_one_wrong_character_or_two_swapped_are_noticed(chance: bytes, place: int, other: str) -> None:
    code = code_of(chance)
    assert read_code(code) == code
    bare = code.removeprefix("RC").replace("-", "")
    if bare[place] != other:
        assert read_code(f"RC{bare[:place]}{other}{bare[place + 1 :]}") is None
    if place < 20 and bare[place] != bare[place + 1]:
        swapped = bare[:place] + bare[place + 1] + bare[place] + bare[place + 2 :]
        assert read_code(f"RC{swapped}") is None


def test_what_people_type_is_understood() -> None:
    code = code_of(bytes(range(13)))
    for typed in (code.lower(), code.replace("-", " "), code.replace("-", ""), code.removeprefix("RC-"), f"  {code}\n"):
        assert read_code(typed) == code
    assert read_code(code.replace("0", "O").replace("1", "l")) == code


@pytest.mark.parametrize("typed", ["", "RC", "RC-7Q2K9D", "x" * 10_000, "名字", "RC-\0", "' OR 1=1 --", "１２３４５"])
def test_nonsense_is_no_code(typed: str) -> None:
    assert read_code(typed) is None
