"""Who may apply, for what, and until when: all reasons at once (R40-R43, S27, cases 51, 52)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.returns.admission import AdmissionRules, judge
from domain.returns.enums import Reason, ReturnType
from domain.returns.facts import ParcelUnits, ReturnOrderFacts
from domain.returns.models import Actor, ApplyReturn
from domain.returns.refusals import TEXTS, Code
from domain.returns.windows import window_ends
from domain.units import UnitRange
from tests.domain.returns.facts import PICTURE, SIGNED, a_line, a_waiting_line, an_application, an_order

T = ReturnType
NOW = SIGNED + timedelta(days=2)
DAY_7 = datetime(2026, 5, 8, 16, 0, tzinfo=UTC)
"""Midnight after the seventh day in Shanghai, S24."""
CANCEL = {"type": T.CANCEL_UNSHIPPED, "lines": {"L2": 1}, "reason": Reason.CANCEL_UNSHIPPED, "evidence": ()}


def codes(application: ApplyReturn, order: ReturnOrderFacts | None = None, at: datetime = NOW) -> list[str]:
    order = order or an_order()
    known = [PICTURE, *(f"0123456789abcde{n}" for n in "abcdefghij")]
    return [r.code.value for r in judge(application, order, known, AdmissionRules(), at).refusals]


def units(
    application: ApplyReturn, order: ReturnOrderFacts | None = None, at: datetime = NOW
) -> list[tuple[str, int, int]]:
    judgement = judge(application, order or an_order(), [PICTURE], AdmissionRules(), at)
    assert judgement.admitted, judgement.refusals
    return [(u.line_id, u.first_unit, u.units) for u in judgement.units]


@pytest.mark.parametrize("channel", ["mini_program", "app", "pc"])
def test_the_channel_makes_no_difference(channel: str) -> None:
    assert units(an_application(channel=channel)) == units(an_application())


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (Actor(kind="buyer", id="b-1"), []),
        (Actor(kind="buyer", id="b-2"), ["FORBIDDEN"]),
        (Actor(kind="buyer", id="b-2", on_behalf_of="b-1"), ["FORBIDDEN"]),
        (Actor(kind="buyer", id="b-1", on_behalf_of="b-2"), ["FORBIDDEN"]),
        (Actor(kind="cs_agent", id="u-1", on_behalf_of="b-1"), []),
        (Actor(kind="cs_agent", id="u-1"), ["FORBIDDEN"]),
        (Actor(kind="cs_agent", id="b-1"), ["FORBIDDEN"]),
        (Actor(kind="cs_agent", id="u-1", on_behalf_of="b-2"), ["FORBIDDEN"]),
        (Actor(kind="cs_agent", id="b-1", on_behalf_of="b-1"), ["FORBIDDEN"]),
    ],
)
def test_only_the_buyer_or_staff_on_their_behalf(actor: Actor, expected: list[str]) -> None:
    assert codes(an_application(actor=actor)) == expected


def test_a_stranger_learns_nothing_but_that() -> None:
    stranger = Actor(kind="buyer", id="b-2")
    assert codes(an_application(actor=stranger, lines={"L9": 9}, evidence=()), an_order(paid=False)) == ["FORBIDDEN"]


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ((), ["EVIDENCE_REQUIRED"]),
        ((PICTURE,), []),
        (tuple(f"0123456789abcde{n}" for n in "abcdefghi"), []),
        (tuple(f"0123456789abcde{n}" for n in "abcdefghij"), ["TOO_MUCH_EVIDENCE"]),
        (("ffffffffffffffff",), ["EVIDENCE_UNKNOWN"]),
    ],
)
def test_one_to_nine_pictures_that_were_really_uploaded(evidence: tuple[str, ...], expected: list[str]) -> None:
    assert codes(an_application(evidence=evidence)) == expected


def test_cancelling_before_shipping_wants_no_picture() -> None:
    assert units(an_application(**CANCEL)) == [("L2", 0, 1)]


def test_cancelling_what_has_left_is_no_way_around_pictures() -> None:
    assert codes(an_application(**{**CANCEL, "lines": {"L1": 1}})) == ["EVIDENCE_REQUIRED", "ALREADY_SHIPPED"]
    assert codes(an_application(**{**CANCEL, "lines": {"L2": 3}})) == ["EVIDENCE_REQUIRED", "QTY_EXCEEDED"]


def test_a_reason_goes_with_its_kind_of_case() -> None:
    assert codes(an_application(reason=Reason.CANCEL_UNSHIPPED)) == ["REASON_DOES_NOT_FIT"]
    assert codes(an_application(reason=Reason.WARRANTY_DEFECT)) == ["REASON_DOES_NOT_FIT"]


def test_all_reasons_are_told_at_once_in_one_order() -> None:
    order = an_order(a_line(applications=5, no_reason=False), a_waiting_line(), paid=False)
    found = codes(an_application(lines={"L1": 5, "L2": 1, "L9": 1}, evidence=()), order)
    assert found == [
        "EVIDENCE_REQUIRED",
        "NOT_PAID",
        "UNKNOWN_LINE",
        "NOT_SHIPPED",
        "QTY_EXCEEDED",
        "NOT_RETURNABLE",
        "TOO_MANY_APPLICATIONS",
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(T.RETURN_REFUND, ["NOT_SHIPPED"]), (T.EXCHANGE, ["NOT_SHIPPED"]), (T.REFUND_ONLY, [])],
)
def test_what_has_not_left_cannot_come_back(kind: ReturnType, expected: list[str]) -> None:
    assert codes(an_application(type=kind, lines={"L2": 1})) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (SIGNED, []),
        (DAY_7 - timedelta(seconds=1), []),
        (DAY_7, []),
        (DAY_7 + timedelta(seconds=1), ["WINDOW_OVER"]),
    ],
)
@pytest.mark.parametrize("kind", [T.RETURN_REFUND, T.REFUND_ONLY, T.EXCHANGE])
def test_seven_days_counted_from_the_day_after_signing(kind: ReturnType, at: datetime, expected: list[str]) -> None:
    assert codes(an_application(type=kind), at=at) == expected


@pytest.mark.parametrize(
    ("kind", "reason", "days"),
    [
        (T.EXCHANGE, Reason.QUALITY_PROBLEM, 15),
        (T.EXCHANGE, Reason.SIZE_DOES_NOT_FIT, 7),
        (T.RETURN_REFUND, Reason.QUALITY_PROBLEM, 7),
    ],
)
def test_a_defect_may_be_exchanged_longer(kind: ReturnType, reason: Reason, days: int) -> None:
    ends = window_ends(SIGNED, days)
    assert codes(an_application(type=kind, reason=reason), at=ends) == []
    assert codes(an_application(type=kind, reason=reason), at=ends + timedelta(seconds=1)) == ["WINDOW_OVER"]


def test_no_window_begins_before_it_has_arrived_but_receipt_stands_in_for_a_signature() -> None:
    on_the_way = a_line(shipped=(ParcelUnits(line_id="L1", child_no="SO-1-01", first_unit=0, units=4),))
    much_later = SIGNED + timedelta(days=90)
    assert codes(an_application(), an_order(on_the_way), at=much_later) == []
    assert codes(an_application(), an_order(on_the_way, completed_at=SIGNED), at=much_later) == ["WINDOW_OVER"]


def test_units_whose_window_is_open_are_taken_from_the_first_one_on() -> None:
    two_parcels = (
        ParcelUnits(line_id="L1", child_no="SO-1-01", first_unit=0, units=2, signed_at=SIGNED),
        ParcelUnits(line_id="L1", child_no="SO-1-02", first_unit=2, units=2, signed_at=SIGNED + timedelta(days=5)),
    )
    order = an_order(a_line(shipped=two_parcels))
    assert units(an_application(lines={"L1": 3}), order) == [("L1", 0, 3)]
    assert units(an_application(lines={"L1": 2}), order, at=DAY_7 + timedelta(days=1)) == [("L1", 2, 2)]
    assert codes(an_application(lines={"L1": 3}), order, at=DAY_7 + timedelta(days=1)) == ["WINDOW_OVER"]


def test_units_of_other_cases_are_stepped_over() -> None:
    taken = (UnitRange(line_id="L1", first_unit=1, units=1),)
    order = an_order(a_line(taken=taken, left=3))
    assert units(an_application(lines={"L1": 2}), order) == [("L1", 0, 1), ("L1", 2, 1)]
    assert codes(an_application(lines={"L1": 4}), order) == ["QTY_EXCEEDED"]


def test_units_that_were_refunded_without_being_named_count_all_the_same() -> None:
    assert codes(an_application(lines={"L1": 2}), an_order(a_line(left=1))) == ["QTY_EXCEEDED"]


@pytest.mark.parametrize(
    ("terms", "at", "expected"),
    [
        ({}, NOW, ["NO_WARRANTY"]),
        ({"warranty_until": date(2027, 4, 30)}, datetime(2027, 4, 30, 15, 59, tzinfo=UTC), []),
        ({"warranty_until": date(2027, 4, 30)}, datetime(2027, 4, 30, 16, 0, 1, tzinfo=UTC), ["WARRANTY_OVER"]),
        ({"warranty_days": 30}, window_ends(SIGNED, 30), []),
        ({"warranty_days": 30}, window_ends(SIGNED, 30) + timedelta(seconds=1), ["WARRANTY_OVER"]),
    ],
)
def test_a_warranty_replacement_goes_by_the_expiry_date(
    terms: dict[str, Any], at: datetime, expected: list[str]
) -> None:
    application = an_application(type=T.WARRANTY_REPLACEMENT, reason=Reason.WARRANTY_DEFECT)
    assert codes(application, an_order(a_line(**terms)), at=at) == expected


@pytest.mark.parametrize(("reason", "expected"), [(Reason.DISLIKED, ["NOT_RETURNABLE"]), (Reason.DAMAGED, [])])
def test_excluded_goods_come_back_only_for_a_defect(reason: Reason, expected: list[str]) -> None:
    assert codes(an_application(reason=reason), an_order(a_line(no_reason=False))) == expected


def test_an_item_has_five_cases_and_no_more() -> None:
    assert codes(an_application(), an_order(a_line(applications=4))) == []
    assert codes(an_application(), an_order(a_line(applications=5))) == ["TOO_MANY_APPLICATIONS"]


@pytest.mark.parametrize(
    ("actor", "amount", "expected"),
    [
        (Actor(kind="cs_agent", id="u-1", on_behalf_of="b-1"), 254, []),
        (Actor(kind="cs_agent", id="u-1", on_behalf_of="b-1"), 255, ["AMOUNT_RAISED"]),
        (Actor(kind="buyer", id="b-1"), 1, ["LOWERED_BY_BUYER"]),
    ],
)
def test_staff_may_lower_and_nobody_may_raise(actor: Actor, amount: int, expected: list[str]) -> None:
    application = an_application(actor=actor, lowered_amount_minor=amount, lowered_reason="scratched before")
    assert codes(application) == expected


def test_a_cancellation_takes_whole_parcels_before_parts_of_one() -> None:
    lines = (
        a_waiting_line(
            "L1",
            qty=5,
            left=5,
            waiting=(
                ParcelUnits(line_id="L1", child_no="SO-1-01", first_unit=0, units=3),
                ParcelUnits(line_id="L1", child_no="SO-1-02", first_unit=3, units=2),
            ),
        ),
        a_waiting_line(
            "L2", qty=1, left=1, waiting=(ParcelUnits(line_id="L2", child_no="SO-1-02", first_unit=0, units=1),)
        ),
    )
    order = an_order(*lines)
    cancel = {**CANCEL, "lines": {"L1": 2, "L2": 1}}
    assert units(an_application(**cancel), order) == [("L1", 3, 2), ("L2", 0, 1)]
    assert units(an_application(**{**CANCEL, "lines": {"L1": 2}}), order) == [("L1", 0, 2)]
    more = {**CANCEL, "lines": {"L1": 4, "L2": 1}}
    assert units(an_application(**more), order) == [("L1", 0, 4), ("L2", 0, 1)]


def test_every_reason_has_its_words_in_both_languages() -> None:
    assert set(TEXTS) == set(Code)
    assert all(en and zh for en, zh in TEXTS.values())
