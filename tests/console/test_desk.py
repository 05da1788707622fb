"""The return desk: a scan leads to its case, every refusal is a red answer, and the worker does what is pressed."""

import re

import pytest

from bench.scenarios.environment.return_case import Case, case_of, picture
from domain.approvals import Role
from domain.returns.codes import code_of
from domain.returns.enums import CaseStatus, ReturnType
from tests.console.office import URL, ActingDesk, Browser
from tests.returns.orders import cups, signed

pytestmark = pytest.mark.asyncio(loop_scope="session")
GREEN, RED = "answer-good", "answer-bad"


async def on_its_way(acting: ActingDesk, kind: ReturnType = ReturnType.RETURN_REFUND, units: int = 2) -> Case:
    case = await case_of(await signed(acting.house, cups(2)), kind, {"L1": units})
    await case.apply()
    await case.decide()
    await case.enter_waybill("YT77")
    return case


async def shown(acting: ActingDesk, browser: Browser, path: str, **form: str) -> str:
    """The page that an act leads to."""
    return (await browser.get(await acting.done(await browser.post(path, **form)))).text


def in_hand(page: str) -> dict[str, str]:
    return {"scan_id": re.findall(r'name="scan_id" value="(S[0-9a-f]+)"', page)[0], "sku": ""}


async def test_a_parcel_is_received_and_graded_unit_by_unit_with_a_picture_of_the_defect(acting: ActingDesk) -> None:
    case = await on_its_way(acting)
    code, browser = await case.code(), await acting.sign_in("warehouse")
    assert 'id="scanned"' in (await browser.get("/desk")).text
    page = await shown(acting, browser, "/desk", scanned=code.lower().replace("-", " "))
    assert "0 / 2" in page and "CUP" in page and "确认收货" in page and "/pictures/" in page
    page = await shown(acting, browser, f"/desk/{code}/receive")
    assert GREEN in page and "已收货" in page and (await case.shown()).status is CaseStatus.RECEIVED
    assert "1</kbd>完好" in page and "3</kbd>报废" in page
    scan = f"/desk/{code}/scan"
    first = in_hand(page)
    page = await shown(acting, browser, scan, grade="good", **first)
    assert GREEN in page and "1 / 2" in page
    assert "1 / 2" in await shown(acting, browser, scan, grade="good", **first), "sent twice it is one unit"
    page = await shown(acting, browser, scan, grade="minor", **in_hand(page))
    assert RED in page and "请先拍照" in page and "1 / 2" in page
    answer = await browser.http.post(
        f"/desk/{code}/pictures", files={"pictures": ("x.png", picture(), "image/png")},
        headers={"origin": URL, "x-csrf-token": browser.csrf},
    )  # fmt: skip
    name = re.findall(r'name="evidence" value="([0-9a-f]{32})"', answer.text)
    page = await shown(acting, browser, scan, grade="minor", evidence=name[0], **in_hand(page))
    assert GREEN in page and "轻微瑕疵" in page
    assert case.house.systems.refunds == {f"R{case.return_no}": 6_000}


async def test_what_no_return_knows_is_red_and_guessing_ends(acting: ActingDesk) -> None:
    case = await on_its_way(acting)
    browser = await acting.sign_in("warehouse")
    assert "无主包裹" in await shown(acting, browser, "/desk", scanned="SF9999999")
    page = await shown(acting, browser, "/desk", scanned="YT77")
    assert RED in page and case.return_no in page and "扫描退货单上的退货码" in page
    unknown = code_of(b"\x01" * 13)
    for _ in range(10):
        there = await browser.get(f"/desk/{unknown}")
        assert there.headers["location"].endswith("UNKNOWN_CODE")
    assert (await browser.get(f"/desk/{await case.code()}")).headers["location"].endswith("TOO_MANY_GUESSES")
    assert "请等待十分钟" in (await browser.get("/desk?said=TOO_MANY_GUESSES")).text
    assert (await case.shown()).status is CaseStatus.IN_RETURN


async def test_a_wrong_article_is_told_apart_and_what_is_missing_goes_to_a_supervisor_in_english(
    acting: ActingDesk,
) -> None:
    case = await on_its_way(acting)
    code, browser = await case.code(), await acting.sign_in("warehouse")
    browser.http.cookies.set("oms-language", "en")
    await shown(acting, browser, f"/desk/{code}/receive")
    page = await shown(acting, browser, "/desk", scanned="PLATE<b>", code=code)
    assert "Not an article of this return" in page and "PLATE&lt;b&gt;" in page
    wrong = {**in_hand(page), "sku": "PLATE"}
    page = await shown(acting, browser, f"/desk/{code}/scan", grade="good", **wrong)
    assert RED in page and "Another article: put it aside" in page and "0 / 2" in page
    page = await shown(acting, browser, "/desk", scanned="CUP", code=code)
    page = await shown(acting, browser, f"/desk/{code}/scan", grade="good", **in_hand(page))
    assert GREEN in page and "As new" in page and "1 / 2" in page
    page = await shown(acting, browser, f"/desk/{code}/finish", remark="nothing more")
    assert GREEN in page and (await case.view()).open_approvals


async def test_who_has_applied_or_decided_does_not_handle_the_goods(acting: ActingDesk) -> None:
    case = await on_its_way(acting)
    people = acting.house.office.people
    await people.add("u-sup", [Role.CS_SUPERVISOR, Role.WAREHOUSE], "test", acting.house.now())
    browser = await acting.sign_in("u-sup")
    page = await shown(acting, browser, f"/desk/{await case.code()}/receive")
    assert RED in page and "须由他人操作" in page
    assert (await case.shown()).status is CaseStatus.IN_RETURN


async def test_a_replacement_is_checked_before_its_label_prints(acting: ActingDesk) -> None:
    case = await on_its_way(acting, ReturnType.EXCHANGE, 1)
    code, browser = await case.code(), await acting.sign_in("warehouse")
    page = await shown(acting, browser, f"/desk/{code}/receive")
    page = await shown(acting, browser, f"/desk/{code}/scan", grade="good", **in_hand(page))
    assert (await case.shown()).status is CaseStatus.REPLACEMENT_QC
    page = (await browser.get(f"/desk/{code}")).text
    assert "可以发出" in page and "2</kbd>不予发出" in page
    assert "请先做出库质检" in await shown(acting, browser, f"/desk/{code}/label")
    page = await shown(acting, browser, f"/desk/{code}/check", passed="0", remark="scratched")
    assert RED in page and "不予发出" in page
    page = await shown(acting, browser, f"/desk/{code}/check", passed="1", remark="another one")
    assert GREEN in page
    assert GREEN in await shown(acting, browser, f"/desk/{code}/label")


async def test_another_shops_parcel_is_nobodys_here(acting: ActingDesk) -> None:
    case = await on_its_way(acting)
    await acting.house.pool.execute("INSERT INTO person_scopes VALUES ('warehouse', 'channel', 'elsewhere')")
    browser = await acting.sign_in("warehouse")
    code = await case.code()
    assert (await browser.get(f"/desk/{code}")).status_code == 403
    assert (await browser.post(f"/desk/{code}/receive")).status_code == 403
    assert (await case.shown()).status is CaseStatus.IN_RETURN
