"""After-sales parts: what the buyer received comes back, and money or another piece goes out."""

import asyncio
import io
import secrets
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from PIL import Image

from activities.evidence import EvidenceService, Upload
from bench.demo.environment import DemoEnvironment, TookTooLong
from config.optional import load_evidence
from domain.order import StartOrder
from domain.returns.enums import CaseStatus, Grade, Reason, ReturnType
from domain.returns.models import Actor, ApplyReturn, Parcel
from provider_clients import evidence_desk
from starter.clients.returns import ReturnClient
from store.returns import ReturnStore
from workflows.returns.messages import CheckOutbound, EnterWaybill, ReceiveReturn, ScanUnit

DESK = "demo-desk"
LOOK_S = 0.3
OVER = (CaseStatus.REFUNDED, CaseStatus.EXCHANGED)
Script = Callable[[DemoEnvironment, StartOrder], Awaitable[None]]


def returned(plain: Script, lines: dict[str, int], kind: ReturnType = ReturnType.RETURN_REFUND) -> Script:
    """Delivered, applied for, agreed to by as many people as it takes, sent back, inspected, and settled."""

    async def script(stage: DemoEnvironment, order: StartOrder) -> None:
        await plain(stage, order)
        await stage.until(order.order_no, "delivery", lambda s: s.status == "DELIVERED")
        case = Case(stage, order, kind, lines)
        await case.apply()
        await case.go_on()

    return script


class Case:
    """One case of the demo, decided and handled as soon as its turn comes."""

    def __init__(self, stage: DemoEnvironment, order: StartOrder, kind: ReturnType, lines: dict[str, int]) -> None:
        self.stage, self.order, self.kind, self.lines = stage, order, kind, lines
        self.return_no = f"RD{secrets.token_hex(5).upper()}"
        self.client = ReturnClient(stage.temporal, prover=stage.prover)
        self.store = ReturnStore(stage.pool)
        self.buyer = Actor(kind="buyer", id=order.buyer.buyer_id)

    async def apply(self) -> None:
        now = datetime.now(UTC)
        desk: EvidenceService = evidence_desk(load_evidence(), self.stage.pool)
        upload = Upload(return_no=self.return_no, order_no=self.order.order_no, actor=self.buyer, at=now)
        picture = await desk.add(upload, _picture())
        reason = Reason.SIZE_DOES_NOT_FIT if self.kind is ReturnType.EXCHANGE else Reason.NO_REASON
        await self.client.apply(
            ApplyReturn(
                return_no=self.return_no, order_no=self.order.order_no, type=self.kind, channel="demo",
                actor=self.buyer, lines=self.lines, reason=reason, evidence=(picture.evidence_id,),
            )
        )  # fmt: skip

    async def go_on(self, until: Collection[CaseStatus] = OVER) -> None:
        """Whatever its status asks for, until it is over, or there."""
        try:
            async with asyncio.timeout(self.stage.patience_s):
                while (status := await self._status()) not in until:
                    await self._step(status)
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise TookTooLong(f"{self.return_no} of {self.order.order_no}: it is {await self._status()}") from None

    async def _status(self) -> CaseStatus:
        shown = await self.store.view(self.return_no)
        assert shown is not None
        return shown.status

    async def _step(self, status: CaseStatus) -> None:
        if status in (CaseStatus.SUPERVISOR_REVIEW, CaseStatus.FINANCE_REVIEW):
            await self._decide()
        elif status is CaseStatus.WAITING_RETURN:
            parcel = Parcel(carrier="YTO", waybill_no=f"BACK{self.return_no}")
            await self.client.enter_waybill(self.return_no, EnterWaybill(by=self.buyer.id, parcel=parcel))
        elif status is CaseStatus.IN_RETURN:
            await self.client.receive(self.return_no, ReceiveReturn(by=DESK, code=await self.code()))
        elif status is CaseStatus.RECEIVED:
            await self._inspect()
        elif status is CaseStatus.REPLACEMENT_QC:
            message = CheckOutbound(by=DESK, passed=True, remark="right piece, sealed")
            await self.client.check_outbound(self.return_no, message)

    async def _inspect(self) -> None:
        code = await self.code()
        for n in range(sum(self.lines.values())):
            scan = ScanUnit(scan_id=f"{self.return_no}-{n}", by=DESK, code=code, grade=Grade.GOOD)
            await self.client.scan(self.return_no, scan)

    async def _decide(self) -> None:
        await self.stage.office.agree(self.return_no, f"return/{self.return_no}")

    async def code(self) -> str:
        """That stands on its slip."""
        return (await self.store.issue_code(self.return_no, datetime.now(UTC))).code


def _picture() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 120, 80)).save(data, "PNG")
    return data.getvalue()
