"""What a parcel costs by the rows of a tariff table."""

import pytest

from domain.fulfilment.tariffs import ParcelWeight, Tariff, quotes


def a_row(carrier: str, first_fee_minor: int = 800, **where: str) -> Tariff:
    steps = {"first_g": 1000, "first_fee_minor": first_fee_minor, "extra_g": 500, "extra_fee_minor": 200}
    return Tariff.model_validate({"carrier": carrier, **where, **steps})


def a_parcel(weight_g: int = 1000, **changes: str) -> ParcelWeight:
    given = {"warehouse": "WH-1", "logistics": "ambient", "province": "浙江省", "city": "杭州市"} | changes
    return ParcelWeight.model_validate({**given, "weight_g": weight_g})


@pytest.mark.parametrize(("weight_g", "fee"), [(0, 800), (1000, 800), (1001, 1000), (1500, 1000), (1501, 1200)])
def test_started_steps_are_paid_whole(weight_g: int, fee: int) -> None:
    assert a_row("SF").fee(weight_g) == fee


def test_carriers_are_quoted_cheapest_first_and_ties_by_code() -> None:
    rows = [
        a_row("ZTO"),
        a_row("SF", 1800),
        a_row("EMS"),
    ]
    assert [q.carrier for q in quotes(rows, a_parcel())] == ["EMS", "ZTO", "SF"]


def test_the_most_specific_row_of_a_carrier_counts() -> None:
    rows = [
        a_row("SF", 1),
        a_row("SF", 2, region="浙江省"),
        a_row("SF", 3, region="浙江省", logistics="ambient"),
        a_row("SF", 4, region="杭州市"),
        a_row("SF", 5, region="杭州市", warehouse="WH-9"),
    ]
    cases = [(a_parcel(), 4), (a_parcel(city="宁波市"), 3), (a_parcel(city="宁波市", logistics="cold"), 2)]
    for parcel, fee in [*cases, (a_parcel(province="广东省", city="广州市"), 1), (a_parcel(warehouse="WH-9"), 5)]:
        assert [q.fee_minor for q in quotes(rows, parcel)] == [fee]


def test_a_carrier_that_does_not_serve_the_parcel_is_not_quoted() -> None:
    assert quotes([a_row("SF", logistics="cold")], a_parcel()) == ()
