"""What a warehouse says a parcel has left under is taken, so that the parcel has left."""

from datetime import UTC, datetime

import pytest
from defusedxml.ElementTree import fromstring

from domain.facts import Kind
from providers.qimen.facts import shipped
from providers.qimen.fields import waybill
from providers.qimen.xml import UnableToReadXml

CONFIRMED = """<request><packages><package><logisticsCode>YTO</logisticsCode><expressCode>%s</expressCode></package>
</packages></request>"""


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("YT 7700 1234 56789", "YT7700123456789"), ("ＹＴ７７００１２３４５６７８９", "YT7700123456789"),
        ("YT7700123456789\u200e", "YT7700123456789"), ("YT1/YT2", "YT1/YT2"), ("自提", "自提"), ("SF", "SF"),
        ("YT 0001'; --", "YT0001';--"), ("sf-0001", "sf-0001"),
    ],
)  # fmt: skip
def test_a_parcel_has_left_however_odd_its_number(told: str, kept: str) -> None:
    (fact,) = shipped("SO2603020001-01", datetime(2026, 3, 2, tzinfo=UTC), fromstring(CONFIRMED % told))
    assert (fact.kind, fact.waybill_no, fact.carrier) == (Kind.WAYBILL_RETURNED, kept, "YTO")


@pytest.mark.parametrize("told", ["\u200b", "Y" * 101, "\ufdfa" * 60])
def test_what_is_nothing_or_endless_is_no_number(told: str) -> None:
    with pytest.raises(UnableToReadXml, match="expressCode"):
        waybill(fromstring(f"<package><expressCode>{told}</expressCode></package>"), "expressCode")
