"""What pages stand on: made once a process, handed to every page through its request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from starlette.requests import Request

from config.console import ConsoleSettings
from console.api.buckets import Buckets
from console.live import LiveHub
from console.session.cookies import SessionCookie
from console.session.provider import CompanySignIn
from console.temporal import LazyTemporal
from domain.access.addresses import Addresses
from providers.messengers.port import MessengerApp
from providers.tokens.verify import TokenVerifier
from starter.clients.evidence import EvidenceClient
from starter.clients.exchange import TokenExchange
from store.console.sessions import SessionStore
from store.pool import Pool


@dataclass(frozen=True)
class Wiring:
    """`exchange` None: nobody here proves anything, so pages only show. `pictures` None: none are taken or shown.
    `provider`: the company's sign-in. `links`: whose links of buyers
    count; None: there are no pages for buyers."""

    settings: ConsoleSettings
    pool: Pool
    verifier: TokenVerifier
    exchange: TokenExchange | None
    temporal: LazyTemporal
    live: LiveHub
    now: Callable[[], datetime]
    pictures: EvidenceClient | None = None
    provider: CompanySignIn | None = None
    links: TokenVerifier | None = None
    messenger: MessengerApp | None = None
    """Of the company, without its secret: only where a browser is sent."""
    audience: str = "oms-approvals"
    """Of proofs that programs make with their tokens, as the worker wants it."""
    buckets: Buckets = field(default_factory=Buckets)

    @cached_property
    def cookie(self) -> SessionCookie:
        return SessionCookie(self.settings.url)

    @cached_property
    def addresses(self) -> Addresses:
        return Addresses({}, self.settings.proxies, self.settings.hops)

    @cached_property
    def sessions(self) -> SessionStore:
        return SessionStore(self.pool)

    @property
    def idle(self) -> timedelta:
        return timedelta(seconds=self.settings.idle_s)


def wiring_of(request: Request) -> Wiring:
    wiring: Wiring = request.app.state.wiring
    return wiring
