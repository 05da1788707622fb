"""The surroundings of one run on the engine: production's store, clients and routing, scripted outside systems."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

from temporalio import activity

import worker
from activities.evidence import EvidenceService
from bench.conserve.answers import CONVERTER
from bench.conserve.door import client_of
from bench.conserve.engine import Engine, Payload
from bench.conserve.fate import Fate
from bench.conserve.world import OutsideWorld
from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.approvers import Approvers
from bench.scenarios.environment.evidence import evidence_of_a_house, vault_of_a_house
from domain.facts import Fact
from relay.delivery.outcomes import Settling
from relay.delivery.routing import plan
from relay.delivery.signalling import OrderSender, SignalResult
from starter.clients.orders import OrderClient
from store.inbox.inbox import Added, Claimed, InboxStore
from store.orders.orders import OrderStore
from store.outside_money.found import MoneyAfterEnd
from store.pool import Pool
from store.rules.rule_sets import RuleSetStore
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from workflows.order.workflow import Order
from workflows.returns.workflow import Return

BEGIN = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
TOKENS = count(1)
ROWS = count(1_000_000)
"""No row of the inbox has such a number."""


class Engines:
    """In place of skipped clocks: one engine has one clock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def now(self) -> datetime:
        return self._engine.now

    async def follow(self, workflow_id: str, behind: timedelta = timedelta(0)) -> None:
        """Nothing to do: the engine knows it."""


class EngineHouse(ScenarioEnvironment):
    """`ScenarioOrder` and `Case` play in it as they do in front of a server. Several may share a database at the same
    time, if their order numbers and SKUs differ."""

    def __init__(self, pool: Pool, evidence: EvidenceService, fate: Fate | None = None) -> None:
        self.pool = pool
        self.evidence = evidence
        self.engine = Engine((Order, Return), BEGIN, fate or Fate())
        self.systems = self.world = OutsideWorld(self.now)
        self.orders = OrderStore(pool)
        self.tickets = TicketStore(pool)
        self.stock = StockStore(pool)
        self.inbox = InboxStore(pool)
        self.office = Approvers(pool, self.now)
        self.office._staffed = True
        self.office._numbers = TOKENS
        self.clocks = Engines(self.engine)  # type: ignore[assignment]
        self.temporal = client_of(self.engine)
        self.prover = None
        self.client = OrderClient(self.temporal)
        self._sender = OrderSender(self.temporal)
        self._known_fault = ""
        self._settling = Settling(self.inbox, self.tickets, MoneyAfterEnd(pool), self.now)
        self._unheard: list[Fact] = []
        own = worker.inside(pool, self.temporal, {}, clock=self.now)
        self.engine.steps.know([*own, *self.office.activities(), *self.world.activities()])

    def now(self) -> datetime:
        if activity.in_activity():
            return activity.info().current_attempt_scheduled_time
        return self.engine.now

    def converted(self, message: object) -> Sequence[Payload]:
        return CONVERTER.to_payloads([message])

    def units_of(self, child_no: str) -> dict[str, int]:
        """What the warehouse was asked to ship, by line."""
        return self.world.units.get(child_no, {})

    async def pass_until(self, moment: datetime) -> None:
        await self.engine.pass_until(moment)

    async def rest(self) -> None:
        await self.engine.drain()

    async def delivered(self) -> None:
        """`deliver` waits for itself."""

    async def deliver(self, *facts: Fact, event_id: str | None = None) -> tuple[Added, ...]:
        await self.tell(*facts)
        await self.rest()
        return ()

    async def tell(self, *facts: Fact) -> None:
        """As `deliver`, but whoever is told has not heard it yet. Past the inbox, which other runs use too: routed as
        the relay routes, kept for later as the relay keeps it, and asked about as the relay asks."""
        waiting, self._unheard = [*self._unheard, *facts], []
        targets = await self.inbox.orders_of(waiting)
        for fact in waiting:
            row = Claimed(
                id=next(ROWS), source=fact.source, event_id=fact.key, facts=(fact,), attempts=1,
                received_at=self.engine.now, kind=fact.kind.value, traceparent=None,
            )  # fmt: skip
            planned = plan(row, targets)
            if planned.unknown:
                self._unheard.append(fact)
            for late, target in planned.closed:
                await self._settling.ask(
                    row, step="event after close", error=f"{late.kind} {late.key} came after the end",
                    order_no=target.order_no, child_no=late.child_no or target.child_no, severity="urgent",
                )  # fmt: skip
            for part in planned.parts:
                said = await self._sender.send(part.order_no, part.facts)
                if said.sent is not SignalResult.DELIVERED:
                    self._unheard.append(fact)


async def staffed(pool: Pool, evidence: EvidenceService) -> None:
    """Once a database: rules, and people who may decide."""
    await RuleSetStore(pool).ensure_built_in(BEGIN)
    house = EngineHouse(pool, evidence)
    house.office._staffed = False
    await house.office.open_for_business()


@asynccontextmanager
async def prepared(pool: Pool) -> AsyncIterator[EvidenceService]:
    """A database in which any number of runs may be played."""
    with vault_of_a_house() as vault:
        evidence = evidence_of_a_house(pool, vault)
        await staffed(pool, evidence)
        yield evidence
