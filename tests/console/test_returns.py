"""Returns on pages: the list, one case, applying for a buyer with pictures and a live amount, what is done with it."""

import re

import pytest

from bench.scenarios.environment.return_case import Case, case_of, picture
from domain.returns.enums import CaseStatus, Grade, ReturnType
from store.returns import ReturnStore
from tests.console.office import URL, ActingDesk, Browser
from tests.returns.orders import cups, signed

pytestmark = pytest.mark.asyncio(loop_scope="session")
FORM = {"type": "return_refund", "reason": "quality_problem", "fault": "seller", "channel": "phone"}


async def applied(acting: ActingDesk, kind: ReturnType = ReturnType.RETURN_REFUND) -> Case:
    case = await case_of(await signed(acting.house, cups(2)), kind, {"L1": 1})
    await case.apply()
    return case


async def opened(browser: Browser, order_no: str) -> dict[str, str]:
    """The form as it comes, with the number that it applies under."""
    page = (await browser.get(f"/orders/{order_no}/return")).text
    number = re.search(r'name="return_no" value="([A-Z0-9]+)"', page)
    assert number, page[:2000]
    return {**FORM, "return_no": number.group(1), "qty:L1": "1"}


async def sent_picture(browser: Browser, order_no: str, return_no: str, content: bytes) -> tuple[int, str]:
    answer = await browser.http.post(
        f"/orders/{order_no}/return/pictures", data={"return_no": return_no},
        files={"pictures": ("shot.png", content, "image/png")}, headers={"origin": URL, "x-csrf-token": browser.csrf},
    )  # fmt: skip
    return answer.status_code, answer.text


async def test_customer_service_applies_for_a_buyer_with_a_picture_and_sees_the_amount_first(
    acting: ActingDesk,
) -> None:
    life = await signed(acting.house, cups(2))
    order_no = life.order.order_no
    browser = await acting.sign_in("cs-agent")
    form = await opened(browser, order_no)
    quoted = (await browser.post(f"/orders/{order_no}/return/quote", **form)).text
    assert "¥30.00" in quoted and "客服主管" in quoted and "请至少上传一张凭证图片" in quoted
    refused = await browser.post(f"/orders/{order_no}/return", **form)
    assert refused.status_code == 422 and "请至少上传一张凭证图片" in refused.text
    assert 'value="1"' in refused.text, "what was filled in is still there"
    status, part = await sent_picture(browser, order_no, form["return_no"], picture())
    name = re.search(r'name="evidence" value="([0-9a-f]{32})"', part)
    assert status == 200 and name, part
    status, part = await sent_picture(browser, order_no, form["return_no"], b"no picture at all")
    assert status == 422 and "仅支持 JPEG" in part
    shown = await browser.get(f"/returns/{form['return_no']}/pictures/{name.group(1)}")
    assert shown.status_code == 200, "before there is a case"
    answer = await browser.post(f"/orders/{order_no}/return", **form, evidence=name.group(1))
    there = await acting.done(answer)
    assert there == f"/returns/{form['return_no']}?said=applied"
    page = (await browser.get(there)).text
    for told in ("售后申请已提交", "主管审批", "质量问题", "¥30.00", "商家责任", "客服主管", "cs-agent", "电话"):
        assert told in page, told
    case = await ReturnStore(acting.house.pool).view(form["return_no"])
    assert case is not None and (case.applied_by.id, case.applied_by.on_behalf_of) == (
        "cs-agent", life.order.buyer.buyer_id,
    )  # fmt: skip
    again = await browser.post(f"/orders/{order_no}/return", **form, evidence=name.group(1))
    assert await acting.done(again) == f"/returns/{form['return_no']}", "sent twice it is one"


async def test_every_reason_against_it_is_told_in_english_and_nothing_is_applied_for(acting: ActingDesk) -> None:
    order_no = (await signed(acting.house, cups(2))).order.order_no
    browser = await acting.sign_in("cs-agent")
    browser.http.cookies.set("oms-language", "en")
    form = {**await opened(browser, order_no), "qty:L1": "3"}
    quoted = (await browser.post(f"/orders/{order_no}/return/quote", **form)).text
    assert "more units than are left" in quoted and "Goes back at most" not in quoted
    answer = await browser.post(f"/orders/{order_no}/return", **{**form, "description": '"><script>x</script>'})
    assert answer.status_code == 422 and "at least one picture" in answer.text
    assert "<script>x" not in answer.text
    nothing = await browser.post(f"/orders/{order_no}/return", **{**form, "qty:L1": ""})
    assert nothing.status_code == 422 and "Say which units" in nothing.text
    assert await ReturnStore(acting.house.pool).list() == ()


async def test_the_list_is_narrowed_down_and_shows_whose_turn_it_is(acting: ActingDesk) -> None:
    case = await applied(acting)
    browser = await acting.sign_in("cs-agent")
    page = (await browser.get("/returns?only=open&turn=CS_SUPERVISOR&type=return_refund")).text
    assert case.return_no in page and "退货退款" in page and "七天无理由退货" in page
    for path in ("turn=FINANCE", "status=REFUNDED", "type=exchange", "q=SO-NONE"):
        assert case.return_no not in (await browser.get(f"/returns?{path}")).text, path
    assert (await browser.get("/returns?turn=NOBODY")).status_code == 400
    assert (await browser.get("/returns?after=nonsense")).status_code == 400
    found = await browser.get(f"/returns?q={case.return_no}")
    assert found.headers["location"] == f"/returns/{case.return_no}"
    buyer = case.life.order.buyer.buyer_id
    assert case.return_no in (await browser.get(f"/returns?q={buyer}")).text


async def test_a_waybill_is_entered_and_the_amount_lowered_which_asks_everybody_again(acting: ActingDesk) -> None:
    case = await applied(acting)
    await case.decide()
    browser = await acting.sign_in("cs-agent")
    page = (await browser.get(f"/returns/{case.return_no}")).text
    assert "填写退货运单" in page and "下调金额" in page and "撤销申请" not in page, "only who applied takes it back"
    odd = await browser.post(f"/returns/{case.return_no}/waybill", carrier="YTO", waybill_no="YT1")
    assert odd.status_code == 422 and "不像 YTO 的运单号" in odd.text
    answer = await browser.post(f"/returns/{case.return_no}/waybill", carrier="YTO", waybill_no="YT1", as_is="1")
    await acting.done(answer)
    assert (await case.shown()).status is CaseStatus.IN_RETURN
    for amount, said in (("12.345", "精确到分"), ("ten", "不是数字"), ("99", "不能上调")):
        answer = await browser.post(f"/returns/{case.return_no}/lower", amount=amount, reason="used")
        assert answer.status_code in (409, 422) and said in answer.text, answer.text
    await acting.done(await browser.post(f"/returns/{case.return_no}/lower", amount="25.00", reason="used"))
    assert (await case.view()).amount_minor == 2_500
    page = (await browser.get(f"/returns/{case.return_no}")).text
    assert "金额下调" in page and "YT1" in page and "买家已寄出" in page


async def test_who_has_applied_takes_it_back_and_another_is_refused(acting: ActingDesk) -> None:
    order_no = (await signed(acting.house, cups(2))).order.order_no
    browser = await acting.sign_in("cs-agent")
    form = await opened(browser, order_no)
    _, part = await sent_picture(browser, order_no, form["return_no"], picture())
    name = re.search(r'name="evidence" value="([0-9a-f]{32})"', part)
    assert name
    await acting.done(await browser.post(f"/orders/{order_no}/return", **form, evidence=name.group(1)))
    path = f"/returns/{form['return_no']}"
    other = await acting.sign_in("cs-supervisor")
    answer = await other.post(f"{path}/cancel", reason="not mine")
    assert answer.status_code == 409 and "仅申请人" in answer.text
    assert "撤销申请" in (await browser.get(path)).text
    assert await acting.done(await browser.post(f"{path}/cancel", reason="kept")) == f"{path}?said=cancelled"
    assert "已撤销" in (await browser.get(path)).text


async def test_another_shops_return_is_not_seen_and_not_touched(acting: ActingDesk) -> None:
    case = await applied(acting)
    await case.decide()
    await acting.house.pool.execute("INSERT INTO person_scopes VALUES ('cs-agent', 'channel', 'elsewhere')")
    browser = await acting.sign_in("cs-agent")
    assert case.return_no not in (await browser.get("/returns")).text
    order_no = case.life.order.order_no
    for path in (f"/returns/{case.return_no}", f"/orders/{order_no}/return"):
        assert (await browser.get(path)).status_code == 403, path
    for path in (
        f"/returns/{case.return_no}/waybill", f"/returns/{case.return_no}/lower", f"/orders/{order_no}/return",
        f"/orders/{order_no}/return/quote", f"/orders/{order_no}/return/pictures",
    ):  # fmt: skip
        answer = await browser.post(path, carrier="YTO", waybill_no="YT1", amount="1", reason="x")
        assert answer.status_code == 403, path
    assert (await case.shown()).status is CaseStatus.WAITING_RETURN


async def test_a_case_shows_units_by_their_fate_and_pictures_of_both_sides(acting: ActingDesk) -> None:
    case = await applied(acting)
    await case.decide()
    await case.goods_come_back(Grade.MINOR)
    await acting.house.rest()
    for person in ("warehouse", "finance", "order-ops"):
        page = (await (await acting.sign_in(person)).get(f"/returns/{case.return_no}")).text
        assert "轻微瑕疵" in page and "已退款" in page and page.count("/pictures/") == 4
        assert "下调金额" not in page
