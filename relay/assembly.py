"""One relay, put together: the HTTP side, the delivery and the parked rows on one pool and one Temporal client."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from starlette.applications import Starlette
from temporalio.client import Client

from domain.access.addresses import Addresses
from domain.clock import Clock
from providers.callbacks import Receiver
from providers.notices.channels import Channels
from relay.delivery.loop import DeliveryLoop, DeliverySettings
from relay.delivery.outcomes import Settling
from relay.delivery.parked import Parked
from relay.delivery.signalling import OrderSender
from relay.inbound.app import build_app
from relay.inbound.intake import Intake
from relay.inbound.limits import Limits
from relay.inbound.refusals import Refusals
from relay.inbound.source_rules import SourceRules, SourceWatch
from relay.jobs.approval_notices import ApprovalNotices
from relay.jobs.approval_tellers import Teller
from relay.jobs.audit_anchor import Anchoring
from relay.jobs.backorders import BackorderWatch
from relay.jobs.callback_rates import BoardWatch
from relay.jobs.dispatch_deadlines import DispatchWatch
from relay.jobs.notices import Notices
from relay.jobs.ownership import NightlyOwnership
from relay.jobs.retention import Nightly
from relay.jobs.ticket_escalation import TicketWatch
from relay.micro_batch import Batch
from store.approvals.notices import ApprovalNoticeStore
from store.audit.anchor import AnchorFile
from store.audit.copies import AnchorCopies
from store.dispatch.deadlines import DispatchStore
from store.inbox.callback_rates import BoardStore
from store.inbox.inbox import Added, InboxStore, Incoming
from store.inbox.retention import RetentionStore
from store.inbox.sources import SourceStore
from store.orders.backorders import BackorderStore
from store.outside_money.found import MoneyAfterEnd
from store.ownership.check import OwnershipStore
from store.pool import Pool
from store.rules.policies import PolicyStore
from store.tickets.escalating import EscalationStore
from store.tickets.notices import NoticeStore
from store.tickets.tickets import TicketStore

log = structlog.get_logger("relay")
READY_S = 2.0


class RunningPart(Protocol):
    """Something that works beside the requests for as long as the relay does."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


class Relay:
    """`app` is what the server serves; `start` and `stop` come with its lifespan."""

    def __init__(
        self,
        pool: Pool,
        client: Client,
        receivers: Mapping[str, Receiver],
        clock: Clock,
        *,
        addresses: Addresses | None = None,
        limits: Limits | None = None,
        pace: DeliverySettings | None = None,
        store_s: float = 3.0,
        channels: Channels | None = None,
        deciders: Sequence[tuple[Teller, str]] = (),
        anchors: AnchorFile | None = None,
        anchor_copies: AnchorCopies | None = None,
        anchor_every_s: float = 300.0,
    ) -> None:
        """`client`: with the pydantic data converter; it may be lazy. `store_s`: how long a request waits for the
        database before it is answered 503, well inside the 5 s after which WeChat gives up. `channels`: who is told
        of tickets; None: nobody. `deciders`: each way in which people hear that a decision is asked of them, and the
        console's address for it. `anchors`: where the audit is tied down, with `anchor_copies`; None: nowhere."""
        self._pool = pool
        addresses = addresses or Addresses()
        inbox, tickets = InboxStore(pool), TicketStore(pool)
        self._messages: Batch[Incoming, Added] = Batch(inbox.add_many, write_s=store_s)
        self._refusals = Refusals(inbox, clock, write_s=store_s)
        self._settling = Settling(inbox, tickets, MoneyAfterEnd(pool), clock)
        self.delivery = DeliveryLoop(inbox, OrderSender(client), self._settling, clock, pace)
        self.parked = Parked(
            inbox, self._settling, clock, ticket_after_s=self._ticket_after_s, on_ready=self.delivery.wake
        )
        policy = PolicyStore(pool).current
        self.board = BoardWatch(BoardStore(pool), policy, clock)
        self.tickets = TicketWatch(EscalationStore(pool), policy, clock)
        notices = [Notices(NoticeStore(pool), channels, policy, clock)] if channels else []
        asking = [ApprovalNotices(ApprovalNoticeStore(pool), *way, clock) for way in deciders]
        anchoring = [Anchoring(pool, anchors, clock, every_s=anchor_every_s, copies=anchor_copies)] if anchors else []
        nights = RetentionStore(pool)
        nightly = [Nightly(nights, policy, clock), NightlyOwnership(OwnershipStore(pool), nights, clock)]
        backorders = BackorderWatch(BackorderStore(pool), inbox, clock)
        dispatch = DispatchWatch(DispatchStore(pool), policy, clock)
        self._watching: tuple[RunningPart, ...] = (
            self.parked, self.board, self.tickets, *nightly, backorders, dispatch, *notices, *asking, *anchoring,
        )  # fmt: skip
        self._rules = rules = SourceRules(fixed=False)
        sources = {source: addresses.of(source) for source in receivers}
        self._sources = SourceWatch(SourceStore(pool), rules, sources, clock)
        intake = Intake(
            receivers,
            inbox=self._messages,
            refusals=self._refusals,
            tickets=tickets,
            addresses=addresses,
            clock=clock,
            on_new=self.delivery.wake,
            rules=rules,
        )
        self.app = build_app(
            intake, addresses=addresses, limits=limits or Limits(), ready=self._ready, lifespan=self._lifespan
        )

    async def start(self) -> None:
        # Before the first message: nothing is let in that may have been stopped.
        try:
            await self._sources.look()
        except Exception as failure:
            log.error("unable to look up what was decided about sources", error=repr(failure)[:200])
        parts: tuple[RunningPart, ...] = (
            self._sources,
            self._messages,
            self._refusals,
            self._settling,
            self.delivery,
            *self._watching,
        )
        for part in parts:
            part.start()

    async def stop(self) -> None:
        """After the last request: finish commits under way, send what is in hand, give the rest back."""
        parts: tuple[RunningPart, ...] = (
            self._messages,
            self._refusals,
            self._sources,
            *self._watching,
            self.delivery,
            self._settling,
        )
        for part in parts:
            await part.stop()
        log.info("relay stopped")

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def _ready(self) -> bool:
        try:
            async with asyncio.timeout(READY_S):
                await self._pool.fetchval("SELECT 1")
        except Exception:
            return False
        return self._rules.known

    async def _ticket_after_s(self) -> float:
        return float((await PolicyStore(self._pool).current()).parked_ticket_after_s)
