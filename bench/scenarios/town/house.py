"""The surroundings of one play: a database, a worker, the relay's delivery, scripted outside systems, skipped time."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Self

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import worker
from activities.asking import Connector
from activities.evidence import EvidenceDesk
from bench.scenarios.town.clocks import REAL_S, Clocks, at_rest
from bench.scenarios.town.life import Life
from bench.scenarios.town.office import Office
from bench.scenarios.town.pictures import evidence_of_a_house
from bench.scenarios.town.systems import Systems
from domain.facts import Fact
from domain.order import StartOrder
from domain.policy import Policy
from relay.deliver import Delivery, Pace
from relay.parked import Parked
from relay.sender import OrderSender
from relay.settle import Settling
from starter.client import OrderClient
from store.inbox import Added, InboxStore, Incoming
from store.orders import OrderStore
from store.policies import PolicyStore
from store.pool import Pool, open_pool
from store.pulling import Scope
from store.stock import StockStore
from store.tickets import TicketStore
from workflows.messages import TASK_QUEUE

QUICK = Pace(linger_s=0.0, poll_s=0.02, breath_s=0.0)
PULL_SPACING_S = 1


class House:
    """Everything one play can do. Steps return when every workflow of the house is at rest."""

    def __init__(self, client: Client, pool: Pool) -> None:
        self.pool = pool
        self.clocks = Clocks(client)
        self.temporal = self.clocks.client
        """Starts workflows at the time of the house; otherwise an ordinary client."""
        self.client = OrderClient(self.temporal)
        self.systems = Systems()
        self.orders = OrderStore(pool)
        self.tickets = TicketStore(pool)
        self.stock = StockStore(pool)
        self.inbox = InboxStore(pool)
        settling = Settling(self.inbox, self.tickets, self.clocks.now)
        self.office = Office(pool, self.now)
        self.evidence: EvidenceDesk
        self._settling = settling
        self._delivery = Delivery(self.inbox, OrderSender(self.temporal), settling, self.clocks.now, QUICK)
        self._parked = Parked(
            self.inbox, settling, self.clocks.now, ticket_after_s=_never, on_ready=self._delivery.wake, look_s=0.05
        )

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, client: Client, url: str, policy: Policy, more_workflows: Sequence[type] = ()
    ) -> AsyncIterator[Self]:
        async with AsyncExitStack() as resources:
            pool = await open_pool(url, application="scenarios")
            resources.push_async_callback(pool.close)
            house = cls(client, pool)
            house.evidence = resources.enter_context(evidence_of_a_house(pool))
            if policy != Policy():
                await PolicyStore(pool).publish(policy, "scenarios")
            await resources.enter_async_context(house._staffed(more_workflows))
            resources.push_async_callback(house._end_all)
            for part in (house._settling, house._delivery, house._parked):
                part.start()
                resources.push_async_callback(part.stop)
            yield house

    @asynccontextmanager
    async def _staffed(self, more_workflows: Sequence[type]) -> AsyncIterator[None]:
        """Production's workflows and own activities; scripted outside systems."""
        channel = Connector(Scope("wechat", "money"), self.systems.tell_of_payment, PULL_SPACING_S)
        own = worker.inside(self.pool, self.temporal, {"wechat": channel}, clock=self.now)
        async with Worker(
            self.temporal,
            task_queue=TASK_QUEUE,
            workflows=[*worker.WORKFLOWS, *more_workflows],
            activities=[*own, *self.office.activities(), *self.systems.activities()],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield

    async def _end_all(self) -> None:
        for handle in self.clocks.followed:
            try:
                await handle.terminate("the play is over")
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

    def now(self) -> datetime:
        """The time of the house; inside an activity, that of the workflow that has called it."""
        if activity.in_activity():
            return activity.info().current_attempt_scheduled_time
        return self.clocks.now()

    async def pass_until(self, moment: datetime) -> None:
        """Skips to `moment`, for every workflow of the house."""
        await self.clocks.pass_until(moment)
        await self.rest()

    # --- what happens ------------------------------------------------------------------------------------------------

    async def receive(self, sku: str, warehouse: str, qty: int, of: str = "") -> None:
        """Goods come in, before an order wants them. `of`: for which one, where several want the same."""
        if qty:
            await self.stock.receive(sku, warehouse, qty, f"receipt {sku} {warehouse} {of}".strip())

    async def place(self, order: StartOrder) -> Life:
        """Through the typed client. Raises `starter.errors.OrderRefused` and its kin."""
        placed = await self.client.start(order)
        await self.rest()
        return Life(self, order, placed)

    async def tell(self, *facts: Fact, event_id: str | None = None) -> tuple[Added, ...]:
        """Messages of outside systems, one each, into the inbox; returns once the relay has dealt with them.

        `event_id`: the source's id of the message; else the fact's key.
        """
        messages = [self._message(fact, event_id or fact.key) for fact in facts]
        added = await self.inbox.add_many(messages)
        self._delivery.wake()
        await self.delivered()
        await self.rest()
        return tuple(added)

    def _message(self, fact: Fact, event_id: str) -> Incoming:
        said = fact.model_dump_json().encode()
        return Incoming(
            source=fact.source, event_id=event_id, kind=fact.kind.value, digest=hashlib.sha256(said).digest(),
            body=said, facts=(fact,), received_at=self.now(),
        )  # fmt: skip

    # --- waiting -----------------------------------------------------------------------------------------------------

    async def delivered(self) -> None:
        """Until the relay has nothing in hand: signalled, settled, or parked for an order that is not there."""
        async with asyncio.timeout(REAL_S):
            while await self.pool.fetchval("SELECT EXISTS (SELECT FROM inbox WHERE state = 'received')"):
                await asyncio.sleep(0.005)

    async def rest(self) -> None:
        """Until nothing is under way in any workflow, except activities that wait before a retry."""
        async with asyncio.timeout(REAL_S):
            # Workflows tell each other things: all of them have to be found at rest, twice in a row.
            quiet = 0
            while quiet < 2:
                still = [await at_rest(handle) for handle in self.clocks.followed]
                quiet = quiet + 1 if all(still) else 0
                if not all(still):
                    await asyncio.sleep(0.005)


async def _never() -> float:
    return 365.0 * 86_400
