"""Yuan as text and fen as integers say the same, exactly; Beijing wall-clock times are moments."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.amounts import SHANGHAI, fen, moment, stamp, yuan

FEN = st.integers(min_value=0, max_value=10**12)


@given(FEN)
def test_every_amount_comes_back_as_it_went(amount_minor: int) -> None:
    assert fen(yuan(amount_minor)) == amount_minor


@given(FEN)
def test_text_has_two_decimals_and_the_value_of_the_amount(amount_minor: int) -> None:
    text = yuan(amount_minor)
    assert Decimal(text) == Decimal(amount_minor) / 100
    assert len(text.partition(".")[2]) == 2


@given(st.integers(0, 5 * 10**11), st.integers(0, 5 * 10**11))
def test_sums_of_texts_are_sums_of_amounts(one: int, other: int) -> None:
    assert fen(str(Decimal(yuan(one)) + Decimal(yuan(other)))) == one + other


@given(st.text(max_size=20) | st.floats() | st.integers() | st.none() | st.binary(max_size=8))
def test_whatever_is_no_plain_amount_is_an_error_not_a_guess(value: object) -> None:
    try:
        read = fen(value)
    except ValueError:
        return
    assert isinstance(value, str)
    assert Decimal(value) * 100 == read


@pytest.mark.parametrize(("text", "amount_minor"), [("0.01", 1), ("88.88", 8888), ("0.1", 10), ("12", 1200), ("0", 0)])
def test_documented_forms_are_read(text: str, amount_minor: int) -> None:
    assert fen(text) == amount_minor


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "1\n", "-1", "+1", "1.", ".5", "1.005", "1e2", "01.00", "1,000", "１.00", "NaN", "0x1", "9" * 12],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="yuan"):
        fen(text)


def test_a_negative_amount_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="negative"):
        yuan(-1)


@given(st.floats(1_000_000_000, 4_000_000_000))
def test_every_moment_comes_back_to_the_second(seconds: float) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert moment(stamp(at)) == at.replace(microsecond=0)


def test_times_are_beijing_time() -> None:
    assert stamp(datetime(2026, 2, 28, 16, 0, tzinfo=UTC)) == "2026-03-01 00:00:00"
    read = moment("2026-03-01 00:00:00.320")
    assert (read, read.utcoffset()) == (datetime(2026, 2, 28, 16, 0, 0, 320_000, tzinfo=UTC), timedelta(hours=8))
    assert read.tzinfo is SHANGHAI


@pytest.mark.parametrize(
    "text",
    ["", "2026-03-01", "2026-03-01T00:00:00", "2026-02-30 00:00:00", "0001-01-01 00:00:00", "2026-03-01 00:00:00Z", 1],
)
def test_other_times_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        moment(text)
