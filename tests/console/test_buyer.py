"""A buyer with a link: sees the returns of one order, applies with pictures, and opens nothing else with it."""

import re
from datetime import timedelta

import pytest

from bench.scenarios.environment.return_case import case_of, picture
from domain.access.authority import Binding
from domain.access.buyer_links import LINK_LIVES
from domain.access.signing_in import TOKEN_EXCHANGE
from domain.returns.enums import CaseStatus, ReturnType
from starter.clients.exchange import NoProof, TokenExchange
from store.returns import ReturnStore
from tests.console.office import URL, ActingDesk, Browser
from tests.returns.orders import cups, signed

pytestmark = pytest.mark.asyncio(loop_scope="session")
FORM = {"type": "return_refund", "reason": "quality_problem", "qty:L1": "1"}


async def linked(acting: ActingDesk, order_no: str) -> str:
    """As customer service gets it for a buyer; the path of the link."""
    answer = await (await acting.sign_in("cs-agent")).post(f"/orders/{order_no}/buyer-link")
    found = re.search(rf"{URL}(/buyer/[A-Za-z0-9._-]+)", answer.text)
    assert found, answer.text[:2000]
    return found.group(1)


async def number_in(browser: Browser, path: str) -> str:
    found = re.search(r'name="return_no" value="([A-Z0-9]+)"', (await browser.get(path)).text)
    assert found
    return found.group(1)


async def test_a_buyer_applies_with_a_picture_gets_a_receipt_sends_it_and_sees_whose_turn_it_is(
    acting: ActingDesk,
) -> None:
    life = await signed(acting.house, cups(2))
    path, buyer = await linked(acting, life.order.order_no), acting.desk.stranger()
    (row,) = await acting.desk.audit("return.link")
    assert (row.actor, row.order_no) == ("cs-agent", life.order.order_no)
    number = await number_in(buyer, path)
    assert "¥30.00" in (await buyer.post(f"{path}/quote", return_no=number, **FORM)).text
    refused = await buyer.post(f"{path}/apply", return_no=number, **FORM)
    assert refused.status_code == 422 and "请至少上传一张凭证图片" in refused.text
    sent = await buyer.http.post(
        f"{path}/pictures", data={"return_no": number}, files={"pictures": ("a.png", picture(), "image/png")},
        headers={"origin": URL},
    )  # fmt: skip
    (name,) = re.findall(r'name="evidence" value="([0-9a-f]{32})"', sent.text)
    assert (await buyer.get(f"{path}/pictures/{number}/{name}")).headers["content-type"] == "image/png"
    there = await acting.done(await buyer.post(f"{path}/apply", return_no=number, evidence=name, **FORM))
    receipt = (await buyer.get(there)).text
    assert "这是您的回执" in receipt and number in receipt and "商家客服" in receipt
    case = await ReturnStore(acting.house.pool).view(number)
    assert case is not None and (case.applied_by.kind, case.applied_by.id) == ("buyer", life.order.buyer.buyer_id)
    supervisor = await acting.sign_in("cs-supervisor")
    (asked,) = await acting.house.office.waiting(number)
    chosen = f"{asked.request.content_hash} {asked.request.approval_id}"
    await acting.done(await supervisor.post("/approvals", chosen=chosen, decision="approve", remark="ok"))
    slip = (await buyer.get(f"{path}/slip/{number}")).text
    assert "<svg" in slip and re.search(r"RC-[0-9A-Z-]{20,}", slip) and "style=" not in slip
    odd = await buyer.post(f"{path}/waybill/{number}", carrier="YTO", waybill_no="YT 7700 5")
    assert odd.status_code == 422 and "YT77005 不像 YTO 的运单号（例如 YT1234567890123）" in odd.text
    answer = await buyer.post(f"{path}/waybill/{number}", carrier="YTO", waybill_no="yt 7700 1234 56789")
    assert "感谢" in (await buyer.get(await acting.done(answer))).text
    case = await ReturnStore(acting.house.pool).view(number)
    assert case is not None and case.status is CaseStatus.IN_RETURN
    assert [parcel.waybill_no for parcel in case.parcels] == ["YT7700123456789"]


async def test_a_link_opens_its_own_order_until_it_ends_and_nothing_of_staff(acting: ActingDesk) -> None:
    life = await signed(acting.house, cups(2))
    path, buyer = await linked(acting, life.order.order_no), acting.desk.stranger()
    buyer.http.cookies.set("oms-language", "en")
    other = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})
    assert (await buyer.get(f"{path}/slip/{other.return_no}")).status_code == 404
    for wrong in (path[:-4] + "AAAA", "/buyer/nonsense", "/buyer/" + "a" * 9_000):
        assert (await buyer.get(wrong)).status_code == 410, wrong[:60]
    assert (await buyer.get("/orders")).headers["location"].startswith("/sign-in")
    foreign = await buyer.http.post(f"{path}/apply", data=FORM, headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert await ReturnStore(acting.house.pool).list() == ()
    acting.desk.now += LINK_LIVES + timedelta(seconds=1)
    page = await buyer.get(path)
    assert page.status_code == 410 and "Ask the shop for a new one" in page.text


async def test_a_link_that_is_used_too_often_waits_a_minute(acting: ActingDesk) -> None:
    path = await linked(acting, (await signed(acting.house, cups(2))).order.order_no)
    buyer = acting.desk.stranger()
    codes = [(await buyer.get("/buyer/nonsense")).status_code for _ in range(62)]
    assert codes.count(410) == 60 and codes[-1] == 429
    assert (await buyer.get(path)).status_code == 200, "who has a link does not wait for who has none"
    acting.desk.now += timedelta(minutes=1)
    assert (await buyer.get("/buyer/nonsense")).status_code == 410


async def test_the_issuer_makes_a_buyers_commands_only_of_a_link(acting: ActingDesk) -> None:
    path = await linked(acting, (await signed(acting.house, cups(2))).order.order_no)
    exchange = TokenExchange(acting.desk.issuer, "http://issuer/token")
    prove = exchange.buyer_prover(path.removeprefix("/buyer/"))
    assert await prove(Binding("return/RT1", "return.apply", "0" * 64), "anybody")
    for binding in (
        Binding("return/RT1", "return.receive", "0" * 64), Binding("order/SO1", "order.cancel", "0" * 64),
        Binding("order/SO1", "return.apply", "0" * 64),
    ):  # fmt: skip
        with pytest.raises(NoProof):
            await prove(binding, "anybody")
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": path.removeprefix("/buyer/")}
    for more in ({}, {"approval_id": "A-1-1", "content_hash": "0" * 64}, {"order_no": "SO2", "buyer": "other"}):
        assert (await acting.desk.issuer.post("/token", data={**form, **more})).status_code == 400


async def test_an_offer_opens_the_replacement_filled_in_and_can_be_turned_down(acting: ActingDesk) -> None:
    life = await signed(acting.house, cups(2))
    path, buyer = await linked(acting, life.order.order_no), acting.desk.stranger()
    assert 'id="offers"' not in (await buyer.get(path)).text
    await acting.house.pool.execute(
        """INSERT INTO offers (order_no, line_id, unit, ends, expires, by_channel, made_at)
        SELECT $1, 'L1', n, 'warranty', current_date + 3650, 'sms', now() FROM generate_series(0, 1) n""",
        life.order.order_no,
    )
    page = (await buyer.get(path)).text
    assert 'id="offers"' in page and "?take=L1#application" in page
    filled = (await buyer.get(f"{path}?take=L1")).text
    assert 'value="warranty_replacement" selected' in filled and 'name="qty:L1" value="2"' in filled
    await buyer.post(f"{path}/offers/refuse")
    assert 'id="offers"' not in (await buyer.get(path)).text
