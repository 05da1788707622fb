"""Customs tax to the fen, limits met and passed, and nothing dodged by splitting (R38)."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fulfilment.customs import (
    Assessed,
    CustomsDecision,
    Declaration,
    DeclaredLine,
    Others,
    UnableToAssess,
    assess,
    parameters_on,
)

NOW = parameters_on(date(2026, 3, 2))


def line(net: int, qty: int = 1, name: str = "L1", **rates: Any) -> DeclaredLine:
    known: dict[str, int | None] = {"vat_bp": 1300, "ct_bp": 1500, "tariff_bp": 1000, "postal_bp": 2000}
    return DeclaredLine.model_validate({"line_id": name, "sku": name, "qty": qty, "net_minor": net, **known, **rates})


def cbec(*lines: DeclaredLine, used: int = 0, freight: int = 0, others: Others | None = None) -> Assessed:
    return assess(Declaration(mode="cbec", lines=lines, freight_minor=freight), NOW, used, others)


def personal(*lines: DeclaredLine, near: bool = False, others: Others | None = None) -> Assessed:
    return assess(Declaration(mode="personal", lines=lines, near=near), NOW, others=others)


@pytest.mark.parametrize(
    ("day", "single"), [(date(2016, 4, 8), 200_000), (date(2018, 12, 31), 200_000), (date(2019, 1, 1), 500_000)]
)
def test_the_values_of_the_day_count(day: date, single: int) -> None:
    assert parameters_on(day).single_limit_minor == single


def test_before_the_first_known_values_nothing_is_assessed() -> None:
    with pytest.raises(UnableToAssess, match="2016-04-07"):
        parameters_on(date(2016, 4, 7))


def test_published_values_go_before_built_in_ones_from_their_day_on() -> None:
    new = NOW.model_copy(update={"valid_from": date(2027, 1, 1), "single_limit_minor": 800_000})
    assert parameters_on(date(2026, 12, 31), [new]).single_limit_minor == 500_000
    assert parameters_on(date(2027, 1, 1), [new]).single_limit_minor == 800_000


@pytest.mark.parametrize(
    ("net", "decision"), [(500_000, CustomsDecision.CBEC_70PCT), (500_001, CustomsDecision.GENERAL_TRADE)]
)
def test_the_single_limit_may_be_met_exactly_but_not_passed(net: int, decision: CustomsDecision) -> None:
    found = cbec(line(net, qty=2))
    assert (found.decision, found.may_go) == (decision, decision is CustomsDecision.CBEC_70PCT)


@pytest.mark.parametrize(("used", "may_go"), [(2_500_000, True), (2_500_001, False)])
def test_the_annual_limit_may_be_met_exactly_but_not_passed(used: int, may_go: bool) -> None:
    found = cbec(line(100_000), used=used)
    assert found.may_go is may_go and ("annual limit" in found.why) is not may_go


def test_one_indivisible_piece_over_the_single_limit_pays_full_tax() -> None:
    found = cbec(line(600_000))
    (one,) = found.lines
    assert found.decision is CustomsDecision.CBEC_FULL_TAX
    assert (one.tariff_minor, one.consumption_tax_minor, one.vat_minor) == (60_000, 116_471, 100_941)
    assert found.tax_minor == 277_412
    assert not cbec(line(600_000), used=2_000_001).may_go, "but only within the year"


def test_a_piece_is_not_alone_when_another_parcel_goes_with_it() -> None:
    assert not cbec(line(600_000), others=Others(dutiable_minor=1)).may_go
    assert not cbec(line(300_000), line(300_000, name="L2")).may_go


def test_two_parcels_that_together_pass_the_limit_are_both_held() -> None:
    half = cbec(line(260_000), others=Others(dutiable_minor=260_000))
    assert (half.decision, half.tax_minor) == (CustomsDecision.GENERAL_TRADE, None)
    assert "520000 together" in half.why


def test_freight_is_dutiable_by_the_house_rule_and_a_share_that_is_known_counts() -> None:
    found = cbec(line(100, name="L1"), line(100, name="L2"), freight=5)
    assert [one.dutiable_minor for one in found.lines] == [103, 102]
    known = cbec(line(100).model_copy(update={"freight_minor": 40}), freight=5)
    assert known.lines[0].dutiable_minor == 140
    assert (known.product_fee_minor, known.transport_fee_minor, known.order_fee_minor) == (100, 40, 140)


def test_general_trade_pays_everything_and_has_no_limit() -> None:
    found = assess(Declaration(mode="general_trade", lines=(line(9_000_000, qty=9),)), NOW)
    assert (found.decision, found.lines[0].tariff_minor) == (CustomsDecision.GENERAL_TRADE, 900_000)
    assert found.may_go


def test_domestic_goods_owe_nothing_and_need_no_rates() -> None:
    rates: dict[str, Any] = dict.fromkeys(("vat_bp", "ct_bp", "tariff_bp", "postal_bp"))
    assert assess(Declaration(mode="domestic", lines=(line(5, **rates),)), NOW).tax_minor == 0


@pytest.mark.parametrize(("net", "tax"), [(25_000, 0), (25_003, 5_001)])
def test_postal_tax_up_to_fifty_yuan_is_not_collected(net: int, tax: int) -> None:
    assert personal(line(net)).tax_minor == tax


def test_the_exemption_is_not_to_be_had_twice_by_sending_two_parcels() -> None:
    assert personal(line(20_000), others=Others(dutiable_minor=20_000, assessed_minor=4_000)).tax_minor == 4_000


@pytest.mark.parametrize(("near", "limit"), [(False, 100_000), (True, 80_000)])
def test_a_parcel_of_several_pieces_may_meet_its_limit_but_not_pass_it(near: bool, limit: int) -> None:
    assert personal(line(limit, qty=2), near=near).decision is CustomsDecision.PERSONAL_TAXED
    over = personal(line(limit + 1, qty=2), near=near)
    assert (over.decision, over.tax_minor) == (CustomsDecision.RETURN_OR_GENERAL_TRADE, None)
    assert personal(line(limit + 1), near=near).decision is CustomsDecision.PERSONAL_TAXED, (
        "one piece cannot be divided"
    )


@pytest.mark.parametrize("missing", ["vat_bp", "ct_bp"])
def test_a_rate_that_is_not_known_is_never_guessed(missing: str) -> None:
    with pytest.raises(UnableToAssess, match=f"line L1: SKU L1 has no {missing}"):
        cbec(line(100).model_copy(update={missing: None}))


@given(st.integers(0, 400_000), st.integers(0, 9_999), st.integers(0, 10_000), st.integers(0, 100_000))
def test_every_tax_is_the_exact_fraction_rounded_half_up(value: int, ct: int, vat: int, tariff: int) -> None:
    reduced = cbec(line(value, ct_bp=ct, vat_bp=vat)).lines[0]
    rest = Fraction(10_000 - ct, 10_000)
    assert reduced.consumption_tax_minor == half_up(value * Fraction(ct, 10_000) / rest * Fraction(7, 10))
    assert reduced.vat_minor == half_up(value / rest * Fraction(vat, 10_000) * Fraction(7, 10))
    whole = assess(
        Declaration(mode="general_trade", lines=(line(value, ct_bp=ct, vat_bp=vat, tariff_bp=tariff),)), NOW
    ).lines[0]
    assert whole.tariff_minor == half_up(value * Fraction(tariff, 10_000))
    base = value + whole.tariff_minor
    assert whole.consumption_tax_minor == half_up(base * Fraction(ct, 10_000) / rest)
    assert whole.vat_minor == half_up(base / rest * Fraction(vat, 10_000))


def half_up(value: Fraction) -> int:
    return (value + Fraction(1, 2)).__floor__()
