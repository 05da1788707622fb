"""Decisions on pages: who sees which question, what it shows, that it is decided by the worker and once."""

from typing import get_args

import pytest

from bench.scenarios.environment.return_case import Case, case_of
from console.pages.approvals.queue import GROUPS
from domain.access.authority import Binding
from domain.access.controls import AddPerson
from domain.approvals import Kind, Role
from domain.returns.enums import CaseStatus, Grade, ReturnType
from starter.clients.controls import ControlClient
from tests.console.office import ActingDesk
from tests.returns.orders import cups, signed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def asked(acting: ActingDesk, price: int = 3_000, kind: ReturnType = ReturnType.RETURN_REFUND) -> Case:
    case = await case_of(await signed(acting.house, cups(2, price)), kind, {"L1": 1})
    await case.apply()
    return case


async def chosen(case: Case) -> str:
    request = (await case.asked()).request
    return f"{request.content_hash} {request.approval_id}"


async def test_a_supervisor_sees_what_is_asked_and_approves_it_in_chinese(acting: ActingDesk) -> None:
    case = await asked(acting)
    number = (await case.asked()).request.approval_id
    browser = await acting.sign_in("cs-supervisor")
    queue = (await browser.get("/approvals")).text
    assert "退款初审" in queue and number in queue and "¥30.00" in queue
    page = (await browser.get(f"/approvals/{number}")).text
    (picture,) = case.application.evidence
    for told in ("¥30.00", "七天无理由退货", "CUP", f"/returns/{case.return_no}/pictures/{picture}", "通过", "驳回"):
        assert told in page, told
    answer = await browser.post(
        "/approvals", chosen=await chosen(case), decision="approve", remark="同意", page="1"
    )  # fmt: skip
    there = await acting.done(answer)
    assert there == f"/approvals/{number}?said=decided"
    assert "审批已生效" in (await browser.get(there)).text
    assert (await case.shown()).status is CaseStatus.WAITING_RETURN


async def test_the_same_in_english_rejected_with_a_reason_that_stays(acting: ActingDesk) -> None:
    case = await asked(acting)
    number = (await case.asked()).request.approval_id
    browser = await acting.sign_in("cs-supervisor")
    browser.http.cookies.set("oms-language", "en")
    assert "Refund applied for" in (await browser.get("/approvals")).text
    empty = await browser.post("/approvals", chosen=await chosen(case), decision="reject", remark=" ", page="1")
    assert await acting.done(empty) == f"/approvals/{number}?said=REMARK_REQUIRED"
    assert "needs a remark" in (await browser.get(empty.headers["location"])).text
    assert (await case.shown()).status is CaseStatus.SUPERVISOR_REVIEW
    said = "<script>alert(1)</script> not ours"
    await acting.done(await browser.post("/approvals", chosen=await chosen(case), decision="reject", remark=said))
    assert (await case.shown()).status is CaseStatus.REJECTED
    page = (await browser.get(f"/approvals/{number}")).text
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page


async def test_many_at_once_have_a_result_each_and_a_decided_one_is_not_decided_again(acting: ActingDesk) -> None:
    life = await signed(acting.house, cups(2))
    cases = [await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1}) for _ in range(2)]
    for case in cases:
        await case.apply()
    wanted = [await chosen(case) for case in cases]
    browser = await acting.sign_in("cs-supervisor")
    await acting.done(await browser.post("/approvals", chosen=wanted[0], decision="approve", remark="first"))
    forged = "0" * 64 + wanted[1][64:]
    answer = await browser.post("/approvals", chosen=[wanted[0], forged], decision="reject", remark="both")
    page = (await browser.get(await acting.done(answer))).text
    assert "已由他人审批" in page and "审批内容在您查看后已变化" in page
    assert [(await case.shown()).status for case in cases] == [
        CaseStatus.WAITING_RETURN, CaseStatus.SUPERVISOR_REVIEW,
    ]  # fmt: skip
    answer = await browser.post("/approvals", chosen=wanted[1:], decision="reject", remark="now")
    assert "已驳回" in (await browser.get(await acting.done(answer))).text
    assert (await cases[1].shown()).status is CaseStatus.REJECTED


async def test_who_may_not_decide_reads_why_and_is_refused_by_the_worker(acting: ActingDesk) -> None:
    case = await asked(acting)
    number = (await case.asked()).request.approval_id
    finance = await acting.sign_in("finance")
    assert number not in (await finance.get("/approvals")).text
    assert (await finance.get(f"/approvals/{number}")).status_code == 403
    assert [row.detail["code"] for row in await acting.desk.audit("console.refused")] == ["WRONG_ROLE"]
    there = await acting.done(
        await finance.post("/approvals", chosen=await chosen(case), decision="approve", remark="x")
    )
    assert there.endswith("~WRONG_ROLE")
    assert (await case.shown()).status is CaseStatus.SUPERVISOR_REVIEW


async def test_who_has_decided_before_is_told_to_leave_it_to_another(acting: ActingDesk) -> None:
    case = await asked(acting, 10_001)
    await acting.house.office.people.add("u-both", [Role.CS_SUPERVISOR, Role.FINANCE], "test", acting.house.now())
    browser = await acting.sign_in("u-both")
    await acting.done(await browser.post("/approvals", chosen=await chosen(case), decision="approve", remark="ok"))
    await case.goods_come_back(Grade.MINOR)
    number = (await case.asked()).request.approval_id
    page = (await browser.get(f"/approvals/{number}")).text
    assert "您已参与该事项" in page and 'value="approve"' not in page
    assert "轻微瑕疵" in page and page.count("/pictures/") >= 4, "both sides' pictures, and the grade"
    queue = (await browser.get("/approvals")).text
    assert number in queue and "您已参与该事项" in queue
    assert number not in (await browser.get("/approvals?only=mine")).text


async def test_a_picture_is_shown_as_one_written_down_and_to_nobody_elses_shop(acting: ActingDesk) -> None:
    case = await asked(acting)
    (name,) = case.application.evidence
    path = f"/returns/{case.return_no}/pictures/{name}"
    browser = await acting.sign_in("cs-supervisor")
    answer = await browser.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff" and "no-store" in answer.headers["cache-control"]
    (row,) = await acting.desk.audit("evidence.seen")
    assert (row.actor, row.order_no, row.detail["evidence_id"]) == ("cs-supervisor", case.life.order.order_no, name)
    assert (await browser.get(f"/returns/{case.return_no}/pictures/{'0' * 32}")).status_code == 404
    assert (await (await acting.sign_in("rule-editor")).get(path)).status_code == 403
    await acting.house.pool.execute("INSERT INTO person_scopes VALUES ('cs-supervisor', 'channel', 'elsewhere')")
    elsewhere = await acting.sign_in("cs-supervisor")
    assert (await elsewhere.get(path)).status_code == 403
    number = (await case.asked()).request.approval_id
    assert number not in (await elsewhere.get("/approvals")).text
    assert (await elsewhere.get(f"/approvals/{number}")).status_code == 403
    answer = await elsewhere.post("/approvals", chosen=await chosen(case), decision="approve", remark="x")
    assert answer.status_code == 403 and (await case.shown()).status is CaseStatus.SUPERVISOR_REVIEW
    told = (await elsewhere.get(f"/approvals-decided?of={number}~x")).text
    assert f"/approvals/{number}" not in told and "退款初审" not in told, "it is not even said what it is about"


async def test_a_change_of_people_is_decided_here_and_says_what_becomes_looser(acting: ActingDesk) -> None:
    people = acting.house.office.people
    for admin in ("u-admin", "u-admin2"):
        await people.add(admin, [Role.ADMIN], "test", acting.house.now())

    async def prove(binding: Binding, by: str) -> str:
        return acting.house.office.proof(by, binding)

    change = AddPerson(person_id="u-new", roles=(Role.FINANCE,))
    answer = await ControlClient(acting.house.temporal, prover=prove).ask(change, 1, "u-admin")
    assert answer.approval is not None
    asker = await acting.sign_in("u-admin")
    page = (await asker.get(f"/approvals/{answer.approval.approval_id}")).text
    assert "由您本人提交" in page and "放宽的控制" in page and "u-new" in page
    other = await acting.sign_in("u-admin2")
    form = {"chosen": f"{answer.approval.content_hash} {answer.approval.approval_id}", "remark": "seen"}
    assert (
        "由您本人提交"
        in (
            await asker.get((await asker.post("/approvals", decision="approve", page="1", **form)).headers["location"])
        ).text
    )
    there = await acting.done(await other.post("/approvals", decision="approve", page="1", **form))
    assert there.endswith("said=decided")
    known = await people.principal("u-new", acting.house.now())
    assert known is not None and Role.FINANCE in known.roles


async def test_every_kind_of_question_is_found_by_one_of_the_filters() -> None:
    grouped = [kind for _, kinds in GROUPS.values() for kind in kinds]
    assert sorted(grouped) == sorted(get_args(Kind))
