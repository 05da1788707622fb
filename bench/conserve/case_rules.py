"""What may happen to the cases of a run's order."""

from collections.abc import Awaitable, Callable
from itertools import count
from random import Random

from bench.conserve.life import Life
from bench.scenarios.environment.return_case import DESK, case_of
from domain.returns.enums import CaseStatus, Grade, ReturnType
from domain.returns.models import Parcel
from workflows.order_return_signals import return_workflow_id
from workflows.returns.messages import (
    AskSupervisor,
    CancelReturn,
    CheckOutbound,
    EnterWaybill,
    FinishInspection,
    LowerAmount,
    PayNow,
    ReceiveReturn,
    ScanUnit,
)

TYPES = (
    ReturnType.CANCEL_UNSHIPPED, ReturnType.CANCEL_UNSHIPPED, ReturnType.REFUND_ONLY, ReturnType.RETURN_REFUND,
    ReturnType.RETURN_REFUND, ReturnType.EXCHANGE,
)  # fmt: skip
MOST = 4
scans = count(1)


async def return_is_asked_for(life: Life, random: Random) -> bool:
    if len(life.cases) >= MOST or life.order_no not in life.house.world.payments:
        return False
    some = random.sample(sorted(life.lines), random.randint(1, len(life.lines)))
    lines = {line: random.randint(1, life.lines[line]) for line in some}
    number = f"RN{life.number:07d}{len(life.cases)}"
    case = await case_of(life.order, random.choice(TYPES), lines, return_no=number)
    life.cases.append(case)
    await life.attempt(case.apply)
    return True


async def application_is_taken_back(life: Life, random: Random) -> bool:
    cases = life.open_cases()
    if not cases:
        return False
    case = random.choice(cases)
    message = CancelReturn(by=case.application.actor.id, reason="keep it")
    life.ask(return_workflow_id(case.return_no), "cancel", message, meanwhile=random.random() < 0.4)
    return True


async def goods_are_handed_over(life: Life, random: Random) -> bool:
    case = await life.case_in(random, CaseStatus.WAITING_RETURN)
    if case is None:
        return False
    parcel = Parcel(carrier="YTO", waybill_no=f"BACK{case.return_no}")
    message = EnterWaybill(by=case.application.actor.id, parcel=parcel)
    life.ask(return_workflow_id(case.return_no), "enter_waybill", message)
    return True


async def goods_are_received(life: Life, random: Random) -> bool:
    """Announced or not; sometimes long after the case has ended; and sometimes goods that never left the warehouse."""
    case = await life.case_in(random, CaseStatus.WAITING_RETURN, CaseStatus.IN_RETURN)
    if case is None and life.cases and random.random() < 0.3:
        case = random.choice(life.cases)
    if case is None:
        return False

    async def received() -> None:
        await case.client.receive(case.return_no, ReceiveReturn(by=DESK, code=await case.code()))

    await life.attempt(received)
    return True


async def unit_is_inspected(life: Life, random: Random) -> bool:
    case = await life.case_in(random, CaseStatus.RECEIVED)
    if case is None:
        return False
    grade = random.choice((Grade.GOOD, Grade.GOOD, Grade.MINOR))
    many = (await case.view()).expected_units if random.random() < 0.7 else 1
    for _ in range(many):

        async def scanned() -> None:
            photos = () if grade is Grade.GOOD else (await case._photo(),)
            message = ScanUnit(
                scan_id=f"scan-{life.number}-{next(scans)}", by=DESK, code=await case.code(), grade=grade, photos=photos
            )
            await case.client.scan(case.return_no, message)

        await life.attempt(scanned)
    return True


async def inspection_is_finished(life: Life, random: Random) -> bool:
    case = await life.case_in(random, CaseStatus.RECEIVED)
    if case is None:
        return False
    message = FinishInspection(by=DESK, remark="that was all")
    life.ask(return_workflow_id(case.return_no), "finish_inspection", message, meanwhile=random.random() < 0.3)
    return True


async def replacement_is_checked(life: Life, random: Random) -> bool:
    case = await life.case_in(random, CaseStatus.REPLACEMENT_QC)
    if case is None:
        return False
    message = CheckOutbound(by=DESK, passed=random.random() < 0.8, remark="looked at it")
    life.ask(return_workflow_id(case.return_no), "check_outbound", message)
    return True


async def amount_is_lowered(life: Life, random: Random) -> bool:
    views = await life.case_views()
    if not views:
        return False
    case, view = random.choice(views)
    if not view.amount_minor:
        return False
    message = LowerAmount(by="u-cs", amount_minor=random.randint(1, view.amount_minor), reason="agreed")
    life.ask(return_workflow_id(case.return_no), "lower", message, meanwhile=random.random() < 0.3)
    return True


async def supervisor_is_asked(life: Life, random: Random) -> bool:
    case = await life.case_in(random, CaseStatus.RECEIVED, CaseStatus.INSPECTED)
    if case is None:
        return False
    amount = (await case.view()).amount_minor
    if not amount:
        return False
    message = AskSupervisor(by=DESK, amount_minor=random.randint(1, amount), reason="scratched")
    life.ask(return_workflow_id(case.return_no), "ask_supervisor", message)
    return True


async def money_is_asked_for(life: Life, random: Random) -> bool:
    cases = life.open_cases()
    if not cases:
        return False
    life.ask(return_workflow_id(random.choice(cases).return_no), "pay", PayNow(by="u-cs"))
    return True


CASE_RULES: tuple[tuple[Callable[[Life, Random], Awaitable[bool]], int], ...] = (
    (return_is_asked_for, 7), (application_is_taken_back, 3), (goods_are_handed_over, 4), (goods_are_received, 4),
    (unit_is_inspected, 6), (inspection_is_finished, 3), (replacement_is_checked, 6), (amount_is_lowered, 1),
    (supervisor_is_asked, 1), (money_is_asked_for, 1),
)  # fmt: skip
