"""A child in several packages: which numbers are packages, and when all of it has arrived."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from domain.facts import Fact, Kind
from domain.fulfilment.packages import Packages

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def told(kind: Kind, number: str | None, hours: int = 0) -> Fact:
    at = NOON + timedelta(hours=hours)
    return Fact(key=f"{kind}:{number}", kind=kind, source="s", occurred_at=at, child_no="SO-01", waybill_no=number)


@pytest.mark.parametrize("order", list(permutations(("W1", "W2", "W3"))))
def test_the_last_signature_is_the_childs_whatever_came_first(order: tuple[str, ...]) -> None:
    packages = Packages()
    for number in order:
        packages.know(told(Kind.WAYBILL_RETURNED, number))
    kinds, whole = [], None
    for number in order:
        fact = told(Kind.SIGNED, number, hours=int(number[1]))
        packages.know(fact)
        whole, _ = packages.as_of_the_child(fact)
        kinds.append(whole.kind)
    assert kinds == [Kind.IN_TRANSIT, Kind.IN_TRANSIT, Kind.SIGNED]
    assert whole is not None and whole.occurred_at == NOON + timedelta(hours=3)


def test_an_only_package_and_a_signature_without_a_number_are_the_childs_at_once() -> None:
    packages = Packages()
    signed = told(Kind.SIGNED, "W1")
    packages.know(signed)
    assert packages.as_of_the_child(signed) == (signed, "")
    packages.know(told(Kind.WAYBILL_RETURNED, "W2"))
    whole = told(Kind.SIGNED, None)
    assert packages.as_of_the_child(whole) == (whole, "")


@pytest.mark.parametrize("kind", [Kind.COURIER_EXCEPTION, Kind.PACKED])
def test_a_number_under_which_nothing_travels_is_no_package(kind: Kind) -> None:
    packages = Packages()
    packages.know(told(kind, "VOID"))
    assert packages.carriers == {}
