"""Answers that a TMS should not give: what we make of them."""

import httpx
import pytest

from domain.order import Address
from providers.errors import ProviderError
from providers.tms.client import MAX_LABEL_BYTES, TmsClient, TmsConfig, TmsRefused, TmsUnavailable, TmsUnknown
from providers.tms.messages import BookShipment

CHILD = "SO2603020001-01"
TO = Address(recipient="张三", phone="13800000000", province="浙江省", city="杭州市", street="文三路 1 号")
GOOD = '{"shipment_id":"SO2603020001-01","tms_ref":"T-1","carrier":"YTO","waybill_no":"YT000001","status":"booked"}'


def client(reply: httpx.Response) -> TmsClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: reply))
    return TmsClient(TmsConfig("http://tms.test", "t", ()), http)


async def book(reply: httpx.Response) -> None:
    await client(reply).book(BookShipment(shipment_id=CHILD, receiver=TO, weight_g=0, items=1))


async def test_fields_that_we_do_not_know_are_left_alone() -> None:
    await book(httpx.Response(201, text=GOOD[:-1] + ',"eta":"tomorrow"}'))


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (201, GOOD.replace("0001-01", "0001-02"), TmsUnknown),
        (201, GOOD.replace("YT000001", "YT 1"), TmsUnknown),
        (201, GOOD.replace('"T-1"', "1"), TmsUnknown),
        (201, GOOD.replace('"status"', '"carrier":"SF","status"'), TmsUnknown),
        (201, "[" * 100_000, TmsUnknown),
        (201, "", TmsUnknown),
        (302, "", TmsUnknown),
        (400, "<html>proxy</html>", TmsUnknown),
        (403, "<html>forbidden</html>", TmsRefused),
        (422, '{"error":{"code":"INVALID","message":"no\\u0000\\r\\nX: y"}}', TmsRefused),
        (503, "", TmsUnavailable),
        (504, "", TmsUnknown),
    ],
)
async def test_only_an_answer_of_the_contract_is_believed(status: int, text: str, error: type[ProviderError]) -> None:
    with pytest.raises(error) as e:
        await book(httpx.Response(status, text=text))
    assert str(e.value).isprintable()


async def test_a_label_that_is_no_pdf_or_too_large_is_not_taken() -> None:
    with pytest.raises(TmsUnknown):
        await client(httpx.Response(200, content=b"<html>")).label(CHILD)
    with pytest.raises(TmsRefused):
        await client(httpx.Response(200, content=b"%PDF-" + b"x" * MAX_LABEL_BYTES)).label(CHILD)
