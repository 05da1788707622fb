"""Counts and numbers that no parcel can have are told apart from those that it can."""

import pytest

from domain.facts import Kind
from domain.fulfilment.credible_facts import by_line, credible_counts, credible_numbers
from tests.store.examples import a_fact

PLANNED = {"L1": 2, "L2": 1}


@pytest.mark.parametrize(
    ("actual", "credible"),
    [
        ({"L1": 2, "L2": 0}, {"L1": 2, "L2": 0}),
        ({"L1": -1}, {}),
        ({"L1": 3, "L2": 1}, {"L2": 1}),
        ({"L9": 1}, {}),
        ({"L9": -1, "L1": 10**30}, {}),
    ],
)
def test_a_count_is_between_nothing_and_what_was_planned(actual: dict[str, int], credible: dict[str, int]) -> None:
    counts, wrong = credible_counts(actual, PLANNED)
    assert counts == credible
    assert (wrong == "") == (counts == actual)


@pytest.mark.parametrize("number", ["SF\x00", "S" * 101, "SF\ud800"])
def test_a_number_that_cannot_be_stored_is_none(number: str) -> None:
    fact, wrong = credible_numbers(a_fact("k", waybill_no=number, carrier="SF", kind=Kind.SIGNED))
    assert (fact.waybill_no, fact.carrier) == (None, "SF") and "waybill_no" in wrong


def test_usual_numbers_stay() -> None:
    told = a_fact("k", waybill_no="SF 1234-5", carrier=None, kind=Kind.SIGNED)
    assert credible_numbers(told) == (told, "")


def test_units_told_by_article_fill_its_lines_in_their_order() -> None:
    sku_of = {"L1": "CUP", "L2": "TEA", "L3": "CUP"}
    planned = {"L1": 2, "L2": 1, "L3": 3}
    assert by_line({"CUP": 4, "TEA": 1}, planned, sku_of) == {"L1": 2, "L3": 2, "L2": 1}
    assert by_line({"CUP": 0}, planned, sku_of) == {"L1": 0, "L3": 0}
    assert by_line({"TEA": 1}, planned, sku_of) == {"L2": 1}, "what is not told of says nothing"


def test_too_many_of_an_article_and_articles_that_nobody_ordered_are_not_credible() -> None:
    told = by_line({"CUP": 3, "PAN": 1}, {"L1": 2}, {"L1": "CUP"})
    counts, wrong = credible_counts(told, {"L1": 2})
    assert counts == {} and "planned were 2" in wrong and "PAN, which is not in this parcel" in wrong
