"""Refund numbers fit every channel, and no two debts of an order share one."""

import pytest

from domain.refunds.numbers import of_late_payment, of_parcel, of_parcels

LONG = "SO2603020101-ABCDEFGHIJKLM"


def test_usual_numbers_say_what_they_are_for() -> None:
    assert of_parcels("SO2603020101", "02") == "RSO2603020101-C02"
    assert of_parcel("SO2603020101", "02", whole=True) == "RSO2603020101-P02"
    assert of_parcel("SO2603020101", "107", whole=False) == "RSO2603020101-P107S"


@pytest.mark.parametrize("order_no", [LONG, LONG[:24], LONG[:6]])
def test_every_number_of_10000_parcels_fits_and_is_the_only_one(order_no: str) -> None:
    assert len(LONG) == 26
    numbers = [of_late_payment(order_no)]
    for n in range(1, 10_001):
        parcel = f"{n:02}"
        numbers += [
            of_parcels(order_no, parcel),
            of_parcel(order_no, parcel, whole=True),
            of_parcel(order_no, parcel, whole=False),
            of_parcel(order_no, parcel, whole=False, time=2),
        ]
    assert max(map(len, numbers)) <= 32
    assert len(set(numbers)) == len(numbers)
