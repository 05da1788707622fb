"""One relay, put together: the door, the delivery and the parked rows on one pool and one Temporal client."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from starlette.applications import Starlette
from temporalio.client import Client

from providers.callbacks import Receiver
from providers.notices.channels import Channels
from relay.addresses import Addresses
from relay.anchoring import Anchoring
from relay.app import build_app
from relay.backorders import BackorderWatch
from relay.batch import Batch
from relay.board import BoardWatch
from relay.deliver import Delivery, Pace
from relay.intake import Intake
from relay.limits import Limits
from relay.nightly import Nightly
from relay.notices import Notices
from relay.parked import Parked
from relay.sender import OrderSender
from relay.settle import Clock, Settling
from relay.ticket_watch import TicketWatch
from store.audit import AuditStore
from store.audit_anchor import AnchorFile
from store.backorders import BackorderStore
from store.board import BoardStore
from store.escalating import EscalationStore
from store.inbox import Added, InboxStore, Incoming, Refusal
from store.notices import NoticeStore
from store.policies import PolicyStore
from store.pool import Pool
from store.retention import RetentionStore
from store.tickets import TicketStore

log = structlog.get_logger("relay")
READY_S = 2.0


class Part(Protocol):
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
        pace: Pace | None = None,
        store_s: float = 3.0,
        channels: Channels | None = None,
        anchors: AnchorFile | None = None,
        anchor_every_s: float = 300.0,
    ) -> None:
        """`client`: with the pydantic data converter; it may be lazy. `store_s`: how long a request waits for the
        database before it is answered 503, well inside the 5 s after which WeChat gives up. `channels`: who is told
        of tickets; None: nobody. `anchors`: where the audit is tied down; None: nowhere."""
        self._pool = pool
        addresses = addresses or Addresses()
        inbox, tickets = InboxStore(pool), TicketStore(pool)
        self._messages: Batch[Incoming, Added] = Batch(inbox.add_many, write_s=store_s)
        self._refusals: Batch[Refusal, None] = Batch(inbox.refuse_many, write_s=store_s)
        self._settling = Settling(inbox, tickets, clock)
        self.delivery = Delivery(inbox, OrderSender(client), self._settling, clock, pace)
        self.parked = Parked(
            inbox, self._settling, clock, ticket_after_s=self._ticket_after_s, on_ready=self.delivery.wake
        )
        policy = PolicyStore(pool).current
        self.board = BoardWatch(BoardStore(pool), policy, clock)
        self.tickets = TicketWatch(EscalationStore(pool), policy, clock)
        notices = [Notices(NoticeStore(pool), channels, policy, clock)] if channels else []
        anchoring = [Anchoring(AuditStore(pool), anchors, clock, every_s=anchor_every_s)] if anchors else []
        nightly = Nightly(RetentionStore(pool), policy, clock)
        backorders = BackorderWatch(BackorderStore(pool), inbox, clock)
        self._watching: tuple[Part, ...] = (
            self.parked, self.board, self.tickets, nightly, backorders, *notices, *anchoring,
        )  # fmt: skip
        intake = Intake(
            receivers,
            inbox=self._messages,
            refusals=self._refusals,
            tickets=tickets,
            addresses=addresses,
            clock=clock,
            on_new=self.delivery.wake,
        )
        self.app = build_app(
            intake, addresses=addresses, limits=limits or Limits(), ready=self._ready, lifespan=self._lifespan
        )

    async def start(self) -> None:
        parts: tuple[Part, ...] = (self._messages, self._refusals, self._settling, self.delivery, *self._watching)
        for part in parts:
            part.start()

    async def stop(self) -> None:
        """After the last request: finish commits under way, send what is in hand, give the rest back."""
        parts: tuple[Part, ...] = (self._messages, self._refusals, *self._watching, self.delivery, self._settling)
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
        return True

    async def _ticket_after_s(self) -> float:
        return float((await PolicyStore(self._pool).current()).parked_ticket_after_s)
