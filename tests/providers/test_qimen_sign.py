"""Qimen's signature and clock, against the recomputed value of docs/providers.md (vector 15)."""

from datetime import UTC, datetime

import pytest

from providers.qimen.sign import local_text, moment, sign, verifies

PARAMETERS = {
    "method": "taobao.qimen.itemlack.report",
    "timestamp": "2015-04-26 00:00:07",
    "format": "xml",
    "app_key": "testerp_appkey",
    "v": "2.0",
    "sign_method": "md5",
    "customerId": "stub-cust-code",
}
VALUE = "E4E83589F1454C1B677DDF0B59026C6A"


def test_vector_15() -> None:
    assert sign("test", PARAMETERS, b"body") == VALUE


def test_the_signature_itself_and_the_order_of_parameters_do_not_count() -> None:
    turned = dict(reversed(PARAMETERS.items()))
    assert sign("test", {**turned, "sign": "whatever"}, b"body") == VALUE


@pytest.mark.parametrize("name", [*PARAMETERS, "extra"])
def test_every_parameter_counts(name: str) -> None:
    changed = {**PARAMETERS, name: PARAMETERS.get(name, "") + "x"}
    assert not verifies("test", {**changed, "sign": VALUE}, b"body")


@pytest.mark.parametrize("told", ["", VALUE.lower(), VALUE[:-1], VALUE + "0", "签名", "\ud800", "A" * 50_000])
def test_only_the_right_signature_verifies(told: str) -> None:
    assert verifies("test", {**PARAMETERS, "sign": VALUE}, b"body")
    assert not verifies("test", {**PARAMETERS, "sign": told}, b"body")


def test_the_body_counts_byte_by_byte() -> None:
    assert not verifies("test", {**PARAMETERS, "sign": VALUE}, b"bodY")


def test_times_are_written_in_shanghai_and_read_as_utc() -> None:
    at = datetime(2026, 12, 31, 16, 0, 7, tzinfo=UTC)
    assert local_text(at) == "2027-01-01 00:00:07"
    assert moment("2027-01-01 00:00:07") == at
    assert moment("2027-01-01 00:00:07").tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "nan", "2026-01-01", "2026-13-01 00:00:00", "２０２６-01-01 00:00:07", "0001-01-01 00:00:00", "9" * 400],
)
def test_anything_else_is_not_a_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|day|calendar"):
        moment(text)
