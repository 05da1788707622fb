"""Cases, approvals and a faulty payment channel around real books, and what must hold between them whatever happens."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from bench.checks.return_invariants import check
from domain.approvals import ApprovalRequest, Decision, Identity, Role, ask
from domain.records import RefundRecord
from domain.returns import ledger
from domain.returns.enums import GOODS_COME_BACK, CaseStatus, Grade, Level
from domain.returns.models import Admitted, ApplyReturn
from domain.returns.records import RefundPart, ReserveRefund
from domain.states import RefundStatus
from store.approvals.approvals import ApprovalStore
from store.approvals.people import PeopleStore
from store.errors import DecisionRefused, OrderRefused, StockWouldGoNegative
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.stock.ledger import StockStore
from tests.store.cases import LATER, POLICY, a_case_write, an_arrived_order, an_upload
from tests.store.examples import PAYABLE, a_refund, a_write

Fault = Literal["none", "answer lost", "refused first", "down"]
DECIDERS = {Level.CS_SUPERVISOR: ("u-sup-1", "u-sup-2"), Level.FINANCE: ("u-fin-1", "u-sup-1")}
"""u-sup-1 holds both roles, and may still not decide twice in one case."""


class Channel:
    """The payment channel with a ledger of its own. A refund number is paid once, whatever happens to the answer."""

    def __init__(self) -> None:
        self.refunds: dict[str, int] = {}
        self.asked: Counter[str] = Counter()

    def refund(self, number: str, amount: int, fault: Fault) -> bool:
        """True: the caller has got the answer that it is paid."""
        self.asked[number] += 1
        if fault == "down" or (fault == "refused first" and self.asked[number] == 1):
            return False
        known = self.refunds.setdefault(number, amount)
        assert known == amount, f"{number} asked for again with another amount"
        return fault != "answer lost"

    def query(self, number: str) -> bool:
        return number in self.refunds


@dataclass
class Case:
    admitted: Admitted
    seq: int = 1
    approvals: list[ApprovalRequest] = field(default_factory=list)
    frozen: bool = False
    over: bool = False
    parts: tuple[RefundPart, ...] = ()


class World:
    """One order with its cases. Everything that may go on at once does."""

    def __init__(self, pool: Pool, order_no: str) -> None:
        self.pool, self.order_no = pool, order_no
        self.returns, self.orders, self.stock = ReturnStore(pool), OrderStore(pool), StockStore(pool)
        self.approvals, self.people = ApprovalStore(pool), PeopleStore(pool)
        self.channel = Channel()
        self.cases: list[Case] = []
        self.numbers = 0
        self.order_seq = 2

    async def begin(self) -> None:
        await an_arrived_order(self.orders, self.stock, self.order_no)
        for who, roles in {
            "u-sup-1": [Role.CS_SUPERVISOR, Role.FINANCE],
            "u-sup-2": [Role.CS_SUPERVISOR],
            "u-fin-1": [Role.FINANCE],
        }.items():
            await self.people.add(who, roles, "u-admin", LATER)

    # --- what happens ------------------------------------------------------------------------------------------------

    async def apply(self, applications: Sequence[ApplyReturn]) -> int:
        """All at once. Returns how many were admitted."""
        for application in applications:
            await an_upload(self.pool, application)
        answers = await self._at_once(
            *(self.returns.admit(a, f"run-{a.return_no}", LATER, POLICY) for a in applications for _ in range(2))
        )
        admitted = {a.return_no: a for a in answers if isinstance(a, Admitted)}
        self.cases += [Case(case) for case in admitted.values()]
        return len(admitted)

    async def approve(self, case: Case) -> None:
        """Each level asks its people at once, the applicant among them; one decision counts."""
        for level in case.admitted.route[len(case.approvals) :]:
            request = ask(
                "refund_application" if level is Level.CS_SUPERVISOR else "refund_payout",
                subject=case.admitted.return_no,
                n=len(case.approvals) + 1,
                version=1,
                role=Role(level.value),
                requested_by="u-agent",
                content={"amount_minor": case.admitted.quote.total_minor, "currency": "CNY"},
                order_no=self.order_no,
                excluded=[a for r in case.approvals if (a := await self._decider(r))],
            )
            await self.approvals.open(request, None, LATER)
            case.approvals.append(request)
            people = [*DECIDERS[level], "u-agent", "u-nobody"]
            await self._at_once(*(self._decide(request, who) for who in people))
        if case.admitted.type in GOODS_COME_BACK and not case.frozen and not case.over:
            case.frozen = await self._moves(case, [ledger.freeze(*place) for place in self._places(case)])

    async def inspect(self, case: Case, grade: Grade) -> None:
        if case.frozen and not case.over:
            number = case.admitted.return_no
            graded = [
                ledger.grade(number, o.line_id, unit, o.sku, o.warehouse, grade)
                for o in case.admitted.origins
                for unit in range(o.first_unit, o.end)
            ]
            await self._at_once(*(self._moves(case, graded) for _ in range(2)))

    async def pay(self, case: Case, fault: Fault, times: int) -> None:
        """Reserved as often as workers try, paid once; the approval is spent on it first."""
        if not case.approvals:
            return
        number, amount = case.admitted.return_no, case.admitted.quote.total_minor
        try:
            for request in case.approvals:
                await self.approvals.use(request.approval_id, request.content_hash, f"R{number}", LATER)
        except DecisionRefused:
            return
        message = ReserveRefund(
            return_no=number, accepted=case.admitted.units, amount_minor=amount, reason="back", at=LATER
        )
        answers = await self._at_once(*(self.returns.reserve_refund(message) for _ in range(times)))
        for answer in answers:
            if not isinstance(answer, Exception):
                case.parts = answer.parts
        for part in case.parts:
            await self._pay_part(case, part, fault)

    async def close(self, case: Case) -> None:
        """Rejected, while somebody else may just be paying it out."""
        if case.parts:
            return
        case.over = True
        still_out = case.frozen and not await self._graded(case)
        closing = [ledger.close(*place) for place in self._places(case)] if still_out else []
        case.seq += 1
        write = a_case_write(
            case.admitted.return_no, case.seq, status=CaseStatus.REJECTED, moves=tuple(closing), ended=True
        )
        await self._at_once(self.returns.write(write), self.returns.write(write))

    async def order_gives_back(self, amount: int, units: dict[str, int]) -> None:
        """The order's own refund, beside all cases."""
        self.order_seq += 1
        refund = a_refund(f"R{self.order_no}-{self.order_seq}", amount, RefundStatus.REQUESTED, **units)
        write = a_write(self.order_no, seq=self.order_seq, refunds=(refund,))
        answers = await self._at_once(self.orders.write(write), self.orders.write(write))
        if not any(isinstance(a, Exception) for a in answers):
            self.channel.refund(refund.refund_no, amount, "none")
            done = refund.model_copy(update={"status": RefundStatus.SUCCEEDED})
            self.order_seq += 1
            await self.orders.write(a_write(self.order_no, seq=self.order_seq, refunds=(done,)))

    # --- parts of it -------------------------------------------------------------------------------------------------

    async def _pay_part(self, case: Case, part: RefundPart, fault: Fault) -> None:
        """An unknown outcome is looked at before it is asked for again; every attempt has the same number."""
        known = self.channel.refund(part.refund_no, part.amount_minor, fault)
        known = known or self.channel.query(part.refund_no)
        if not known and fault == "refused first":
            known = self.channel.refund(part.refund_no, part.amount_minor, fault)
        if known:
            case.seq += 1
            told = RefundRecord(
                refund_no=part.refund_no, amount_minor=part.amount_minor, status=RefundStatus.SUCCEEDED, reason="back"
            )
            write = a_case_write(case.admitted.return_no, case.seq, status=CaseStatus.REFUNDED, refunds=(told,))
            await self._at_once(self.returns.write(write), self.returns.write(write))

    async def _decide(self, request: ApprovalRequest, who: str) -> Any:
        token = f"t-{request.approval_id}-{who}"
        identity = Identity(who, token, request.approval_id, request.content_hash)
        seen = request.content_hash
        decision = Decision(
            approval_id=request.approval_id, decision="approve", remark="ok", content_hash=seen, token="-"
        )
        return await self.approvals.decide(decision, identity, token, LATER + timedelta(minutes=1))

    async def _decider(self, request: ApprovalRequest) -> str | None:
        found = await self.approvals.get(request.approval_id)
        decided = None if found is None else found.decided()
        return None if decided is None else decided.person_id

    def _places(self, case: Case) -> list[tuple[str, str, str, str, int]]:
        number = case.admitted.return_no
        by_place: Counter[tuple[str, str, str, str]] = Counter()
        for o in case.admitted.origins:
            by_place[number, o.line_id, o.sku, o.warehouse] += o.units
        return [(*place, qty) for place, qty in by_place.items()]

    async def _moves(self, case: Case, moves: list[Any]) -> bool:
        case.seq += 1
        write = a_case_write(case.admitted.return_no, case.seq, status=CaseStatus.WAITING_RETURN, moves=tuple(moves))
        try:
            await self.returns.write(write)
        except StockWouldGoNegative:
            return False
        return True

    async def _graded(self, case: Case) -> bool:
        found: bool = await self.pool.fetchval(
            "SELECT EXISTS (SELECT FROM stock_moves WHERE kind LIKE 'grade%' AND starts_with(ref, $1 || '/'))",
            case.admitted.return_no,
        )
        return found

    async def _at_once(self, *calls: Any) -> list[Any]:
        """Refusals are answers; anything else is a fault of ours."""
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(
                answer, OrderRefused | StockWouldGoNegative | DecisionRefused
            ):
                raise answer
        return answers


async def broken(world: World) -> list[str]:
    """Everything that does not hold, by the names of the invariants."""
    found = []
    for name, query in CHECKS.items():
        found += [f"{name}: {dict(row)}" for row in await world.pool.fetch(query, world.order_no)]
    found += [f"{f.name} {f.rule}: {f.broken}" for f in await check(world.pool) if f.broken and f.name[0] in "MS"]
    refunds = "SELECT refund_no, amount_minor, status FROM refunds WHERE order_no = $1"
    ours = {row["refund_no"]: row for row in await world.pool.fetch(refunds, world.order_no)}
    paid = sum(world.channel.refunds.values())
    if paid > PAYABLE:
        found.append(f"M2: the channel paid {paid} of {PAYABLE}")
    for number, amount in world.channel.refunds.items():
        if number not in ours or ours[number]["amount_minor"] != amount:
            found.append(f"M4: {number} of {amount} is not in our books")
    for number, row in ours.items():
        if (row["status"] == "SUCCEEDED") != (number in world.channel.refunds):
            found.append(f"M3: {number} is {row['status']}, at the channel: {number in world.channel.refunds}")
    return found


CHECKS = {
    "M1 paid is the sum of payments": """
        SELECT o.order_no, o.paid_minor FROM orders o WHERE o.order_no = $1
        AND o.paid_minor <> (SELECT sum(amount_minor) FROM payments p WHERE p.order_no = o.order_no)""",
    "S1 every unit received is somewhere": """
        SELECT s.* FROM stock s WHERE $1 <> '' AND s.available + s.reserved + s.shipped + s.frozen + s.second_hand
        + s.scrapped <> (SELECT sum(qty) FROM stock_moves m
            WHERE m.kind = 'receive' AND (m.sku, m.warehouse) = (s.sku, s.warehouse))""",
    "S3 units in cases are counted, and no more comes back than left": """
        SELECT l.line_id, l.returning_units, l.refunded_units, l.goods_back_units FROM order_lines l
        WHERE l.order_no = $1 AND (l.goods_back_units > l.shipped_units OR l.returning_units <>
        (SELECT coalesce(sum(k.units), 0) FROM unit_claims k JOIN return_cases c ON c.return_no = k.holder
         WHERE k.held AND k.order_no = l.order_no AND k.line_id = l.line_id))""",
    "A1 nobody decides what they asked for, or twice": """
        SELECT a.approval_id, a.decided_by FROM approvals a WHERE a.order_no = $1 AND a.state = 'approved'
        AND (a.decided_by IN (a.requested_by, 'u-nobody') OR EXISTS (SELECT FROM approvals b
            WHERE b.subject = a.subject AND b.approval_id <> a.approval_id AND b.decided_by = a.decided_by))""",
    "A2 a payout has one used approval a level, of exactly its amount": """
        SELECT c.return_no, c.payout_minor FROM return_cases c WHERE c.order_no = $1 AND c.payout_minor > 0
        AND jsonb_array_length(c.admitted -> 'route') <> (SELECT count(*) FROM approvals a
            WHERE a.subject = c.return_no AND a.state = 'approved' AND a.used_at IS NOT NULL
            AND (a.content ->> 'amount_minor')::bigint = c.payout_minor)""",
}
