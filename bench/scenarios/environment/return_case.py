"""One after-sales case of a play: applied for, decided, sent back, received, inspected, paid or exchanged."""

import io
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Any

from PIL import Image

from activities.evidence import Upload
from bench.scenarios.environment.environment import ScenarioEnvironment
from bench.scenarios.environment.order import ScenarioOrder
from domain.facts import Fact, Kind
from domain.returns.enums import CaseStatus, Fault, Grade, Reason, ReturnType
from domain.returns.models import Actor, ApplyReturn, Parcel, ReturnView
from domain.returns.records import CodeLookup
from starter.clients.approvals import ApprovalClient
from starter.clients.return_errors import StepRefused
from starter.clients.returns import ReturnClient
from store.approvals.approvals import Approval
from store.returns import ReturnStore
from workflows.messages import ResolveTicket
from workflows.order_return_signals import return_workflow_id
from workflows.returns.messages import (
    Applied,
    CaseState,
    CheckOutbound,
    EnterWaybill,
    FinishInspection,
    PayNow,
    PrintLabel,
    ReceiveReturn,
    Scanned,
    ScanUnit,
)

DESK = "u-wh"
MINUTE = timedelta(seconds=61)
numbers = count(1)


class Case:
    """Steps return when everything in the environment is at rest."""

    def __init__(self, house: ScenarioEnvironment, life: ScenarioOrder, application: ApplyReturn) -> None:
        self.house = house
        self.life = life
        self.application = application
        self.return_no = application.return_no
        self.client = ReturnClient(house.temporal, prover=house.prover)
        self.store = ReturnStore(house.pool)
        self.handle = house.temporal.get_workflow_handle(return_workflow_id(self.return_no))
        self._scans = count(1)

    async def apply(self) -> Applied:
        """Raises `starter.clients.return_errors.ReturnRefused`."""
        await self.house.office.open_for_business()
        answer = await self.client.apply(self.application)
        await self.house.rest()
        return answer

    async def linked(self, return_no: str) -> "Case":
        """The case that took in what came late."""
        await self.house.clocks.follow(return_workflow_id(return_no))
        await self.house.rest()
        return Case(self.house, self.life, self.application.model_copy(update={"return_no": return_no}))

    # --- people ------------------------------------------------------------------------------------------------------

    async def asked(self) -> Approval:
        """The one question that waits."""
        (found,) = await self.house.office.waiting(self.return_no)
        return found

    async def decide(self, person: str | None = None, verdict: str = "approve") -> None:
        """The question that waits is decided by `person`, or by whoever has its role."""
        approval = await self.asked()
        await self.house.office.decide(ApprovalClient(self.house.temporal), approval, person, verdict)
        await self.house.rest()

    async def enter_waybill(self, waybill_no: str = "", carrier: str = "YTO", by: str | None = None) -> str:
        number = waybill_no or f"BACK{self.return_no}"
        message = EnterWaybill(by=by or self.application.actor.id, parcel=Parcel(carrier=carrier, waybill_no=number))
        await self.client.enter_waybill(self.return_no, message)
        await self.house.rest()
        return number

    async def receive(self, code: str | None = None, by: str = DESK) -> str:
        """Which case has the goods now."""
        message = ReceiveReturn(by=by, code=code or await self.code())
        received = await self.client.receive(self.return_no, message)
        await self.house.rest()
        return received.return_no

    async def scan(self, grade: Grade = Grade.GOOD, code: str | None = None, **more: Any) -> Scanned:
        photos = () if grade is Grade.GOOD else (await self._photo(),)
        made: dict[str, Any] = {
            "scan_id": f"scan-{next(self._scans)}", "by": DESK, "code": code or await self.code(), "grade": grade,
            "photos": photos,
        }  # fmt: skip
        answer = await self.client.scan(self.return_no, ScanUnit(**(made | more)))
        await self.house.rest()
        return answer

    async def inspect(self, grade: Grade = Grade.GOOD) -> None:
        """Every unit of the case, alike."""
        for _ in range((await self.view()).expected_units):
            await self.scan(grade)

    async def finish_inspection(self) -> None:
        await self.client.finish_inspection(self.return_no, FinishInspection(by=DESK, remark="that was all"))
        await self.house.rest()

    async def check_outbound(self, *, passed: bool) -> None:
        await self.client.check_outbound(self.return_no, CheckOutbound(by=DESK, passed=passed, remark="looked at it"))
        await self.house.rest()

    async def print_label(self) -> str:
        answer = await self.client.print_label(self.return_no, PrintLabel(by=DESK))
        await self.house.rest()
        return answer.result

    async def ask_for_money(self, by: str = "u-cs") -> str:
        answer = await self.client.pay(self.return_no, PayNow(by=by))
        await self.house.rest()
        return answer.result

    async def goods_come_back(self, grade: Grade = Grade.GOOD) -> None:
        """Handed over, received and inspected, all alike."""
        await self.enter_waybill()
        await self.receive()
        await self.inspect(grade)

    async def plain_life(self, before_return: Callable[[], Awaitable[None]] | None = None) -> None:
        """Everybody agrees, goods come back whole, until nothing is asked of anybody any more."""
        for _ in range(8):
            try:
                status = await self.status()
            except StepRefused:  # it is over
                return
            if status in (CaseStatus.SUPERVISOR_REVIEW, CaseStatus.FINANCE_REVIEW):
                await self.decide()
            elif status is CaseStatus.WAITING_RETURN:
                if before_return is not None:
                    await before_return()
                await self.goods_come_back()
            elif status is CaseStatus.REFUNDING:  # a channel takes one refund of an order a minute
                await self.house.pass_until(self.house.now() + MINUTE)
            else:
                return

    async def resolve(self, action: str) -> None:
        """Answers the one open ticket that blocks."""
        (ticket,) = [t for t in (await self.view()).open_tickets if t.severity != "info"]
        message = ResolveTicket.model_validate(
            {"ticket_id": ticket.ticket_id, "action": action, "remark": "seen", "by": "u-ops"}
        )
        await self.client.resolve_ticket(self.return_no, message)
        await self.house.rest()

    # --- the world ---------------------------------------------------------------------------------------------------

    async def days_pass(self, days: int) -> None:
        await self.house.pass_until(self.house.now() + timedelta(days=days))

    async def courier(self, kind: Kind, waybill_no: str, carrier: str = "YTO") -> None:
        fact = Fact(
            key=f"kuaidi100:{waybill_no}:{kind}", kind=kind, source="kuaidi100", occurred_at=self.house.now(),
            waybill_no=waybill_no, carrier=carrier,
        )  # fmt: skip
        await self.house.deliver(fact)

    # --- looking -----------------------------------------------------------------------------------------------------

    async def view(self) -> CaseState:
        """As its workflow knows it."""
        return await self.client.view(self.return_no)

    async def status(self) -> CaseStatus:
        return (await self.view()).status

    async def shown(self) -> ReturnView:
        """As the books show it."""
        found = await self.store.view(self.return_no)
        assert found is not None
        return found

    async def look_up(self, code: str, who: str) -> str:
        """The case of a code. Raises `UnknownCode`, `TooManyGuesses`."""
        return await self.store.look_up(CodeLookup(code=code, who=who, at=self.house.now()))

    async def code(self) -> str:
        return (await self.store.issue_code(self.return_no, self.house.now())).code

    async def _photo(self) -> str:
        upload = Upload(
            return_no=self.return_no, order_no=self.application.order_no, actor=self.application.actor,
            purpose="inspection", at=self.house.now(),
        )  # fmt: skip
        return (await self.house.evidence.add(upload, picture())).evidence_id


async def case_of(
    life: ScenarioOrder, kind: ReturnType, lines: dict[str, int], *, images: int = 1, **more: Any
) -> Case:
    """A case that the buyer of this order asks for, with pictures; not applied for yet."""
    house = life.house
    made: dict[str, Any] = {
        "return_no": f"RT{next(numbers):08d}", "order_no": life.order.order_no, "type": kind, "channel": "app",
        "actor": Actor(kind="buyer", id=life.order.buyer.buyer_id), "lines": lines,
        "reason": reason_for(kind), "fault": Fault.NONE,
    }  # fmt: skip
    made |= more
    if "evidence" not in made:
        made["evidence"] = tuple([await _evidence(life, made["return_no"], n) for n in range(images)])
    return Case(house, life, ApplyReturn(**made))


def reason_for(kind: ReturnType) -> Reason:
    """One that goes with the kind of case."""
    special = {
        ReturnType.CANCEL_UNSHIPPED: Reason.CANCEL_UNSHIPPED,
        ReturnType.WARRANTY_REPLACEMENT: Reason.WARRANTY_DEFECT,
        ReturnType.EXCHANGE: Reason.SIZE_DOES_NOT_FIT, ReturnType.REFUND_ONLY: Reason.QUALITY_PROBLEM,
    }  # fmt: skip
    return special.get(kind, Reason.NO_REASON)


async def _evidence(life: ScenarioOrder, return_no: str, n: int) -> str:
    """Taken by the order's buyer, whoever applies: the desk takes pictures from nobody else."""
    buyer = Actor(kind="buyer", id=life.order.buyer.buyer_id)
    upload = Upload(return_no=return_no, order_no=life.order.order_no, actor=buyer, at=life.house.now())
    return (await life.house.evidence.add(upload, picture(n))).evidence_id


def picture(shade: int = 0) -> bytes:
    """A real, small image."""
    data = io.BytesIO()
    Image.new("RGB", (8, 8), (shade % 256, 120, 80)).save(data, "PNG")
    return data.getvalue()
