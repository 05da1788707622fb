"""One order of a run: what the world, the shop and the buyer have done to it so far, and what may come next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

from bench.conserve.house import EngineHouse
from bench.conserve.world import INSIDE, AtWarehouse
from bench.scenarios.environment.approvers import DECIDERS
from bench.scenarios.environment.finance import accounted, decided
from bench.scenarios.environment.order import COURIER, ScenarioOrder
from bench.scenarios.environment.return_case import Case
from bench.scenarios.order import CouponIn, FreightIn, LineIn, OrderIn, start_order
from bench.waybills import waybill
from domain.facts import Fact, Kind
from domain.order import SkuTags
from domain.records import TicketRecord
from domain.returns.enums import CaseStatus
from domain.strict import Strict
from starter.clients.approvals import ApprovalClient
from starter.clients.errors import OrderError
from store.approvals.approvals import Approval
from store.errors import OrderRefused as RefusedByBooks
from store.outside_money.chargebacks import ChargebackStore
from workflows.messages import ResolveTicket, order_workflow_id
from workflows.order.messages import OrderView
from workflows.order_return_signals import return_workflow_id
from workflows.returns.messages import CaseState

PLACES = ("WH-BJ", "WH-SH")
NEXT: dict[str, tuple[tuple[Kind, str], ...]] = {
    "there": (
        (Kind.WMS_ACCEPTED, "there"), (Kind.PICKING, "picking"), (Kind.PACKED, "packed"),
        (Kind.WAYBILL_RETURNED, "left"),
        (Kind.WMS_REJECTED, "rejected"), (Kind.SHORT_PICKED, "picking"),
    ),
    "picking": (
        (Kind.PACKED, "packed"), (Kind.WAYBILL_RETURNED, "left"), (Kind.SHORT_PICKED, "picking"),
        (Kind.WMS_REJECTED, "rejected"),
    ),
    "packed": ((Kind.WAYBILL_RETURNED, "left"), (Kind.WMS_REJECTED, "rejected")),
    "left": tuple((kind, "left") for kind in sorted(COURIER)),
}  # fmt: skip


@dataclass
class Life:
    """`mail`: what has happened and nobody told us yet; `told`: what we were told."""

    house: EngineHouse
    number: int
    order: ScenarioOrder
    lines: dict[str, int]
    mail: list[Fact] = field(default_factory=list)
    told: list[Fact] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    chargebacks: dict[str, str] = field(default_factory=dict)
    asked_changes: bool = False
    looked_at: tuple[object, ...] = ()
    """How far things had gone when the books were looked at last: without a step since, they are the same."""

    @classmethod
    async def begin(cls, house: EngineHouse, number: int, random: Random) -> "Life":
        """An order of one to three lines, of one to four units each, goods mostly in stock."""
        lines = tuple(
            LineIn(
                id=f"L{n}", sku=f"S{number}-{n}", qty=random.randint(1, 4),
                unit_price=random.choice((1, 999, 3_000, 89_900)),
                tags=SkuTags(
                    warehouse=random.choice(PLACES), logistics=random.choice(("ambient", "ambient", "cold")),
                    supplier=random.choice(("SELF", "SELF", "SELF", "ACME")),
                ),
            )
            for n in range(1, random.randint(1, 3) + 1)
        )  # fmt: skip
        gross = sum(line.qty * line.unit_price for line in lines)
        coupons = (CouponIn(id="C1", amount=random.randint(0, gross // 2)),) if random.random() < 0.4 else ()
        freight = (FreightIn(amount=random.choice((200, 1_001))),) if random.random() < 0.4 else ()
        order = start_order(
            OrderIn(order_no=f"SO{number:08d}", lines=lines, coupons=coupons, freight=freight), house.now()
        )
        for line in lines:
            assert line.tags is not None
            for place in PLACES:
                have = line.qty if random.random() < 0.85 else random.randint(0, line.qty)
                await house.receive(line.sku, place, have)
        return cls(house, number, await ScenarioOrder.place(house, order), {line.id: line.qty for line in lines})

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def order_no(self) -> str:
        return self.order.order.order_no

    @property
    def ended(self) -> bool:
        return bool(self.house.engine.executions[order_workflow_id(self.order_no)].ended)

    async def view(self) -> OrderView:
        return await self.order.view()

    def open_cases(self) -> list[Case]:
        executions = self.house.engine.executions
        for workflow_id in executions:
            number = workflow_id.removeprefix("return/")
            if number != workflow_id and number not in {c.return_no for c in self.cases} and self.cases:
                again = self.cases[0].application.model_copy(update={"return_no": number})
                self.cases.append(Case(self.house, self.order, again))
        return [c for c in self.cases if (e := executions.get(return_workflow_id(c.return_no))) and not e.ended]

    async def case_views(self) -> list[tuple[Case, CaseState]]:
        return [(case, await case.view()) for case in self.open_cases()]

    def parcels(self, *states: str) -> list[tuple[str, AtWarehouse]]:
        found = self.house.world.parcels.items()
        return [(number, p) for number, p in found if p.state in (states or INSIDE)]

    # --- what is said ------------------------------------------------------------------------------------------------

    def fact(self, child_no: str, kind: Kind, at: datetime, **more: Any) -> Fact:
        of_courier = kind in COURIER
        if kind is Kind.WAYBILL_RETURNED:
            more = {"waybill_no": waybill(child_no), "carrier": "YTO"} | more
        source = "kuaidi100" if of_courier else "qimen"
        return Fact(
            key=f"{source}:{child_no}:{kind}", kind=kind, source=source, occurred_at=at, child_no=child_no, **more
        )

    async def hears(self, facts: Sequence[Fact]) -> None:
        self.told += facts
        await self.house.deliver(*facts)

    def whisper(self, fact: Fact) -> None:
        """Signalled at a moment of fate's choice, in the middle of whatever happens next."""
        engine, workflow_id = self.house.engine, order_workflow_id(self.order_no)
        self.told.append(fact)
        said = self.house.converted({"facts": [fact.model_dump(mode="json")]})

        def do() -> None:
            engine.signal(workflow_id, "facts", said)

        engine.meanwhile.append(do)

    def ask(self, workflow_id: str, name: str, message: Strict, *, meanwhile: bool = False) -> None:
        """A person's command, whatever its answer. The next steps of the engine carry it out."""
        engine, said = self.house.engine, self.house.converted(message)

        def do() -> None:
            if (execution := engine.executions.get(workflow_id)) is not None and not execution.ended:
                engine.update(workflow_id, name, said)

        if meanwhile:
            engine.meanwhile.append(do)
        else:
            do()

    async def attempt(self, doing: Callable[[], Any]) -> None:
        """What may be refused. A refusal is an answer; anything else is not."""
        try:
            await doing()
        except (OrderError, RefusedByBooks):
            await self.house.rest()

    def pays(self, amount_minor: int, transaction: str = "") -> Fact:
        world = self.house.world
        paid = world.pays(self.order_no, amount_minor, self.house.now())
        if transaction:
            number = f"{paid.transaction_id}-{transaction}"
            paid = paid.model_copy(update={"key": f"wechat:pay:{number}", "transaction_id": number})
        world.captured_minor += amount_minor
        return paid

    def happens(self, child_no: str, parcel: AtWarehouse, kind: Kind, state: str, random: Random) -> None:
        """The warehouse, or a courier, does something; the news is in the mail."""
        more: dict[str, Any] = {}
        if parcel.asked and kind is Kind.WAYBILL_RETURNED:
            parcel.asked = False
        parcel.state = state
        units = self.house.units_of(child_no)
        if kind is Kind.SHORT_PICKED and units:
            line = random.choice(sorted(units))
            parcel.actual = units | {line: random.randint(0, units[line] - 1)}
        if kind in (Kind.SHORT_PICKED, Kind.WAYBILL_RETURNED) and parcel.actual is not None:
            more["actual"] = parcel.actual
        self.mail.append(self.fact(child_no, kind, self.house.now(), **more))

    # --- tickets -----------------------------------------------------------------------------------------------------

    async def questions(self) -> list[tuple[str, TicketRecord]]:
        """Open ones, with the workflow that waits for the answer."""
        found: list[tuple[str, TicketRecord]] = []
        if not self.ended:
            found += [(order_workflow_id(self.order_no), t) for t in (await self.view()).open_tickets]
        for case, view in await self.case_views():
            found += [(return_workflow_id(case.return_no), t) for t in view.open_tickets]
        return [(workflow_id, t) for workflow_id, t in found if t.severity != "info"]

    def answer(self, ticket: TicketRecord, action: str) -> ResolveTicket | None:
        """What a truthful person says; None: it cannot be answered so."""
        result = self._result(ticket) if action == "supply" else None
        if action not in ticket.actions or (action == "supply" and result is None):
            return None
        if (ticket.step, action) == ("push replacement", "give_up") and ticket.child_no:
            self.house.world.is_told_by_hand(ticket.child_no)
        return ResolveTicket.model_validate(
            {"ticket_id": ticket.ticket_id, "action": action, "remark": "seen", "by": "u-ops", "result": result}
        )

    def _result(self, ticket: TicketRecord) -> dict[str, Any] | None:
        parcel = self.house.world.parcels.get(ticket.child_no or "")
        if ticket.step == "short pick":
            return {"how": "another one was sent by hand"}
        if ticket.step == "outbound rejected":
            return {"elsewhere": True}
        if ticket.step in ("interception unanswered", "intercept"):
            if parcel is None:
                return {"result": "absent"}
            stopped = parcel.state in ("cancelled", "rejected")
            if not stopped and parcel.state != "left":
                parcel.state, stopped = "cancelled", True  # the person has the warehouse do it
            return {"result": "cancelled" if stopped else "too_late"}
        return None

    # --- people and banks --------------------------------------------------------------------------------------------

    async def case_in(self, random: Random, *statuses: CaseStatus) -> Case | None:
        found = [case for case, view in await self.case_views() if view.status in statuses]
        return random.choice(found) if found else None

    async def waiting_approvals(self) -> list[Approval]:
        waiting = [
            a for c, v in await self.case_views() if v.open_approvals for a in await self.waiting_of(c.return_no)
        ]
        return waiting + (await self.waiting_of(self.order_no) if self.asked_changes and not self.ended else [])

    async def waiting_of(self, subject: str) -> list[Approval]:
        return sorted(await self.house.office.waiting(subject), key=lambda a: a.request.approval_id)

    async def decide(self, approval: Approval, verdict: str) -> None:
        """By whoever may, and did not ask for it."""
        asked_by = approval.request.requested_by
        who = DECIDERS[approval.request.role]
        others = {"u-sup": "u-sup2", "u-fin": "u-fin2"}
        person = others.get(who, who) if who == asked_by else who
        client = ApprovalClient(self.house.temporal)
        await self.attempt(lambda: self.house.office.decide(client, approval, person, verdict))

    async def bank_decides(self, number: str, outcome: Literal["lost", "won"]) -> None:
        """A source tells it, as it may tell it again, or a person records it."""
        self.chargebacks[number] = outcome
        if self.number % 2:
            await decided(ChargebackStore(self.house.pool), number, outcome, self.house.now())
        else:
            await self.hears([await self._word(number, outcome)])
        if outcome == "lost":
            await self.loss_is_compared(number)

    async def loss_is_compared(self, number: str) -> None:
        """Refused while the books have not heard of the loss."""
        store = ChargebackStore(self.house.pool)
        await self.attempt(lambda: accounted(store, number, self.house.now()))

    async def _word(self, number: str, outcome: str) -> Fact:
        amount = await self.house.pool.fetchval("SELECT amount_minor FROM chargebacks WHERE chargeback_id = $1", number)
        kind = Kind.CHARGEBACK_WON if outcome == "won" else Kind.CHARGEBACK_LOST
        return Fact(
            key=f"desk:{number}:{kind}", kind=kind, source="desk", occurred_at=self.house.now(),
            order_no=self.order_no, chargeback_no=number, amount_minor=amount, currency="CNY",
        )  # fmt: skip

    async def passes(self, time: timedelta) -> None:
        await self.house.pass_until(self.house.now() + time)
