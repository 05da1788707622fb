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
from activities.access.door import Doorkeeper
from activities.access.erasure import ErasureActivities
from activities.access.starts import StartDoor
from activities.connectors import Connector
from activities.evidence import EvidenceService
from bench.checks import ownership
from bench.scenarios.environment.approvers import Approvers
from bench.scenarios.environment.evidence import evidence_of_a_house, vault_of_a_house
from bench.scenarios.environment.providers import MERCHANT, ScriptedSystems
from bench.scenarios.environment.time_skipping import REAL_S, Clocks
from deploy.local.logins import as_role
from domain.facts import Fact
from domain.policy import Policy
from relay.delivery.loop import DeliveryLoop, DeliverySettings
from relay.delivery.outcomes import Settling
from relay.delivery.parked import Parked
from relay.delivery.signalling import OrderSender
from starter.clients.orders import OrderClient
from store.approvals.command_proofs import CommandProofStore
from store.erasure import ErasureStore
from store.inbox.inbox import Added, InboxStore, Incoming
from store.orders.orders import OrderStore
from store.outside_money.found import MoneyAfterEnd
from store.polling.polling import Scope
from store.pool import Pool, open_pool
from store.returns.evidence_storage import Vault
from store.rules.policies import PolicyStore
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from workflows.messages import TASK_QUEUE

QUICK = DeliverySettings(linger_s=0.0, poll_s=0.02, claim_interval_s=0.0)
PULL_SPACING_S = 1


class ScenarioEnvironment:
    """Everything one play can do. Steps return when every workflow of the environment is at rest."""

    def __init__(
        self, client: Client, pool: Pool, worker_pool: Pool, relay_pool: Pool, *, proofs_demanded: bool = False
    ) -> None:
        """`pool`: everybody's, to look and to prepare; the other two may do what production's processes may."""
        self.pool = pool
        self._worker_pool = worker_pool
        self.clocks = Clocks(client)
        self.temporal = self.clocks.client
        """Starts workflows at the time of the environment; otherwise an ordinary client."""
        self.office = Approvers(worker_pool, self.now, proofs_demanded=proofs_demanded)
        self.prover = self.office.prove if proofs_demanded else None
        """Where nobody has to prove who they are, nobody does."""
        self.client = OrderClient(self.temporal, prover=self.prover)
        self.systems = ScriptedSystems()
        self.orders = OrderStore(pool)
        self.tickets = TicketStore(pool)
        self.stock = StockStore(pool)
        self.inbox = InboxStore(relay_pool)
        settling = Settling(self.inbox, TicketStore(relay_pool), MoneyAfterEnd(relay_pool), self.clocks.now)
        self.evidence: EvidenceService
        self.vault: Vault
        self.url: str
        """Of the database, as its owner."""
        self._known_fault = ""
        self._settling = settling
        self._delivery = DeliveryLoop(self.inbox, OrderSender(self.temporal), settling, self.clocks.now, QUICK)
        self._parked = Parked(
            self.inbox, settling, self.clocks.now, ticket_after_s=_never, on_ready=self._delivery.wake, look_s=0.05
        )

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        client: Client,
        url: str,
        policy: Policy,
        more_workflows: Sequence[type] = (),
        *,
        proofs_demanded: bool = False,
    ) -> AsyncIterator[Self]:
        async with AsyncExitStack() as resources:
            pools = []
            for address in (url, as_role(url, "oms_worker"), as_role(url, "oms_relay")):
                pools.append(await open_pool(address, max_size=4, application="scenarios"))
                resources.push_async_callback(pools[-1].close)
            pool = pools[0]
            house = cls(client, *pools, proofs_demanded=proofs_demanded)
            house.url = url
            house.vault = resources.enter_context(vault_of_a_house())
            house.evidence = evidence_of_a_house(pool, house.vault)
            if policy != Policy():
                await PolicyStore(pool).publish(policy, "scenarios")
            await resources.enter_async_context(house._staffed(more_workflows))
            resources.push_async_callback(house._end_all)
            for part in (house._settling, house._delivery, house._parked):
                part.start()
                resources.push_async_callback(part.stop)
            yield house
            await house.has_owners()

    @asynccontextmanager
    async def _staffed(self, more_workflows: Sequence[type]) -> AsyncIterator[None]:
        """Production's workflows and own activities; scripted outside systems."""
        channel = Connector(Scope("wechat", "money"), self.systems.answer_for_payment, PULL_SPACING_S)
        # Who has to prove their commands has to prove their starts.
        door = None if self.prover is None else StartDoor(CommandProofStore(self._worker_pool), self.now)
        own = worker.inside(
            self._worker_pool, self.temporal, {"wechat": channel}, clock=self.now, merchants={"wechat": MERCHANT},
            door=door,
        )  # fmt: skip
        erasing = ErasureActivities(ErasureStore(self._worker_pool), self.vault, self.temporal, self.now)
        async with Worker(
            self.temporal,
            task_queue=TASK_QUEUE,
            workflows=[*worker.WORKFLOWS, *more_workflows],
            activities=[*own, *self.office.activities(), *self.systems.activities(), erasing.erase],
            interceptors=[Doorkeeper(self.office.verifier.signer)],
            workflow_runner=UnsandboxedWorkflowRunner(),
            build_id="scenarios",  # else the SDK hashes the code of all loaded modules, seconds of a core
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
        """The time of the environment; inside an activity, that of the workflow that has called it. Of a local activity
        the SDK tells this machine's time."""
        if activity.in_activity() and not activity.info().is_local:
            return activity.info().current_attempt_scheduled_time
        return self.clocks.now()

    def has_a_known_fault(self, because: str) -> None:
        """This play ends with a unit or a fen that has no owner, or two: say why. Nothing else is checked the less."""
        self._known_fault = because

    async def has_owners(self) -> None:
        """Every paid unit and every fen has one owner (invariant O), once all is at rest."""
        if not self._known_fault:
            await self.rest()
            found = await ownership.violations(self.pool)
            assert not found, "\n".join(v.text for v in found)

    async def pass_until(self, moment: datetime) -> None:
        """Skips to `moment`, for every workflow of the environment."""
        await self.clocks.pass_until(moment)
        await self.rest()

    # --- what happens ------------------------------------------------------------------------------------------------

    async def receive(self, sku: str, warehouse: str, qty: int, of: str = "") -> None:
        """Goods come in, before an order wants them. `of`: for which one, where several want the same."""
        if qty:
            await self.stock.receive(sku, warehouse, qty, f"receipt {sku} {warehouse} {of}".strip())

    async def deliver(self, *facts: Fact, event_id: str | None = None) -> tuple[Added, ...]:
        """Messages of outside systems, one each, into the inbox; returns once the relay has dealt with them.

        `event_id`: the source's id of the message; else the fact's key.
        """
        added = await self.take_in(*facts, event_id=event_id)
        await self.delivered()
        await self.rest()
        return added

    async def take_in(self, *facts: Fact, event_id: str | None = None) -> tuple[Added, ...]:
        """The same, but nobody waits for the relay: Temporal may be away."""
        added = await self.inbox.add_many([self._message(fact, event_id or fact.key) for fact in facts])
        self._delivery.wake()
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
                quiet = quiet + 1 if await self.clocks.at_rest() else 0
                if not quiet:
                    await asyncio.sleep(0.005)


async def _never() -> float:
    return 365.0 * 86_400
