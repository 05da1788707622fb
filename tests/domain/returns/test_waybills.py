"""Numbers of carriers. Shapes and examples: npm courier-validation 1.x (github.com/BF-zh/Courier-Validation,
src/pattern and test/index.test.ts), and for older and international ones the rules that the carriers' own query pages
have (YTO `[A-Za-z0-9]{10,12}` or `88…` of 18, Yunda 13 digits, EMS 13 characters as UPU S10)."""

import pytest

from domain.returns.waybills import SHAPES, as_printed, odd_number


@pytest.mark.parametrize(
    ("carrier", "number"),
    [
        ("SF", "SF1000000000000"), ("SF", "SFA000000000000"), ("SF", "118650888018"),
        ("YTO", "YT7700123456789"), ("YTO", "D12345678901"), ("YTO", "880123456789012345"),
        ("yto", "yt 7700 1234 56789"),
        ("ZTO", "73111111111111"), ("ZTO", "120001234567"), ("STO", "770123456789012"), ("STO", "220123456789"),
        ("YUNDA", "312345678901234"), ("YUNDA", "1600123456789"), ("JD", "JDVA12345678901"), ("JD", "JDVB0123456789"),
        ("JTSD", "JT0000000000000"), ("EMS", "1123456789012"), ("EMS", "EA123456789CN"), ("EMS", "PA12345678901"),
        ("DBKD", "DPK210123456789"), ("SF", "ＳＦ１０００００００００００１"), ("a carrier of tomorrow", "x"),
    ],
)  # fmt: skip
def test_what_carriers_print_is_taken_however_it_is_typed(carrier: str, number: str) -> None:
    assert odd_number(carrier, number) == ""


@pytest.mark.parametrize(
    ("carrier", "number"),
    [
        ("SF", "SF100000000000"), ("SF", "YT7700123456789"), ("YTO", "YT770012345678"), ("YTO", "13800138000138"),
        ("ZTO", "SF1000000000000"), ("STO", "7701234"), ("YUNDA", "31234567890123"), ("JD", "VA12345678901"),
        ("EMS", "EA12345678CN"), ("JTSD", "JT00"), ("SF", ""), ("YTO", "my own car"),
    ],
)  # fmt: skip
def test_a_number_that_no_label_of_the_carrier_has_is_odd_and_an_example_is_told(carrier: str, number: str) -> None:
    assert odd_number(carrier, number) == SHAPES[carrier].like


def test_every_example_has_the_shape_that_it_is_told_for() -> None:
    assert all(shape.pattern.fullmatch(shape.like) for shape in SHAPES.values())
    assert as_printed(" yt 7700\t1234５ ") == "YT770012345"
