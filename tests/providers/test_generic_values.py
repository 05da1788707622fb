"""Money and times through a mapping: read exactly, or refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.generic.loading import read_mapping
from providers.generic.mapping import SourceMapping
from providers.generic.translating import MappingExplanation, explain

MONEY = """\
version: 1
source: erp
secrets: [OMS_ERP]
type: /type
occurred_at: {at: /time, format: epoch_ms}
fields:
  order_no: {at: /order}
  transaction_id: {at: /id}
  amount_minor: {at: /amount, decimals: 2}
  currency: {const: CNY}
key: "{source}:pay:{transaction_id}:{kind}"
events:
  "1": {kind: PAYMENT_SUCCEEDED}
unknown: refuse
"""
PAID = {"type": 1, "time": 1772446800000, "order": "SO2603020001", "id": 42, "amount": "195.80"}
ERP = read_mapping(MONEY.encode(), "erp.yaml")


def dry(told: Any, mapping: SourceMapping = ERP) -> MappingExplanation:
    return explain(mapping, json.dumps(told))


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        ("195.80", 19580),
        (195.8, 19580),
        (0.1, 10),
        (195, 19500),
        ("0", 0),
        ("1.230", 123),
        ("9999999999.99", 10**12 - 1),
    ],
)
def test_money_is_read_to_the_fen(amount: Any, minor: int) -> None:
    (fact,) = dry(PAID | {"amount": amount}).facts
    assert (fact.amount_minor, fact.currency, fact.order_no) == (minor, "CNY", "SO2603020001")
    assert fact.key == "erp:pay:42:PAYMENT_SUCCEEDED"
    assert fact.occurred_at == datetime(2026, 3, 2, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "amount",
    ["195.805", 195.805, "-1", -1, "1e3", "1,000.00", "¥1", "１", True, None, {}, "", "9" * 14, 1e300, "99999999999"],
)
def test_money_is_never_rounded_guessed_or_negative(amount: Any) -> None:
    told = dry(PAID | {"amount": amount})
    assert told.outcome == "refused"
    assert told.errors[0].startswith("amount_minor: ")


@pytest.mark.parametrize(
    ("format", "written", "fits"),
    [
        ("rfc3339", "2026-03-02T18:20:00+08:00", True),
        ("rfc3339", "2026-03-02 10:20:00Z", True),
        ("rfc3339", "2026-03-02T18:20:00", False),
        ("rfc3339", "20260302T102000Z", False),
        ("rfc3339", "2026-03-02", False),
        ("rfc3339, zone: Asia/Shanghai", "2026-03-02T18:20:00", True),
        ("rfc3339, zone: Asia/Shanghai", "2026-03-02T10:20:00Z", True),
        ("epoch_s", 1772446800, True),
        ("epoch_s", "1772446800", True),
        ("epoch_s", 1772446800000, False),
        ("epoch_ms", 1772446800000, True),
        ("epoch_ms", 1772446800.5, False),
        ("epoch_ms", 10**18, False),
        ('"%d.%m.%Y %H:%M %z"', "02.03.2026 18:20 +0800", True),
        ('"%Y%m%d%H%M%S", zone: Asia/Shanghai', 20260302182000, True),
        ('"%Y%m%d%H%M%S", zone: Asia/Shanghai', "20260302182000 ", False),
    ],
)
def test_times_are_read_in_the_form_of_the_mapping(format: str, written: Any, fits: bool) -> None:
    mapping = read_mapping(MONEY.replace("format: epoch_ms", f"format: {format}").encode(), "erp.yaml")
    told = dry(PAID | {"time": written}, mapping)
    assert (told.outcome == "facts") is fits
    assert [f.occurred_at for f in told.facts] == [datetime(2026, 3, 2, 10, 20, tzinfo=UTC)] * fits


ANY: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just({}) | st.just([])
)


@pytest.mark.parametrize("format", ["epoch_s", "epoch_ms", "rfc3339", '"%Y%m%d%H", zone: Asia/Shanghai'])
@given(amount=ANY, time=ANY)
def test_no_number_or_time_of_any_form_raises(format: str, amount: Any, time: Any) -> None:
    mapping = read_mapping(MONEY.replace("format: epoch_ms", f"format: {format}").encode(), "erp.yaml")
    told = dry(PAID | {"amount": amount, "time": time}, mapping)
    assert told.outcome in ("facts", "refused")
