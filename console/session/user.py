"""Who looks at a page: a person as the books know them this moment, and what they may do through this session."""

from dataclasses import dataclass

from starlette.requests import Request

from console.security.forms import token_of
from console.session.cookies import hash_of, opened
from console.wiring import Wiring, wiring_of
from domain.access.authority import AUTHORITY
from domain.approvals import Role
from starter.clients.approvals import ApprovalClient
from starter.clients.controls import ControlClient
from starter.clients.desk import DeskClient
from starter.clients.exchange import NoProof, TokenExchange
from starter.clients.orders import OrderClient
from starter.clients.proving import Prover
from starter.clients.returns import ReturnClient
from store.console.sessions import PersonScope, SessionRow


@dataclass(frozen=True, repr=False)
class User:
    """`number`: of the session, from the cookie; it opens the credential and makes the token of forms."""

    session: SessionRow
    number: str
    wiring: Wiring

    @property
    def id(self) -> str:
        return self.session.person.person_id

    @property
    def roles(self) -> frozenset[Role]:
        """Their own. What others lend them counts for decisions, not for pages."""
        return self.session.person.roles

    @property
    def scope(self) -> PersonScope:
        return self.session.scope

    @property
    def csrf(self) -> str:
        return token_of(self.number)

    def holds(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    def may_give(self, command: str) -> bool:
        """Whether the table of authority lets them; what the workflow says on top of that it says itself."""
        return self.holds(*AUTHORITY[command].roles)

    # Acting: each raises `NoProof`, `Unreachable`, `UnableToConfigure`.

    async def orders(self) -> OrderClient:
        return OrderClient(await self.wiring.temporal.client(), prover=self.prover())

    async def returns(self) -> ReturnClient:
        return ReturnClient(await self.wiring.temporal.client(), prover=self.prover())

    async def approvals(self) -> ApprovalClient:
        return ApprovalClient(await self.wiring.temporal.client())

    async def controls(self) -> ControlClient:
        return ControlClient(await self.wiring.temporal.client(), prover=self.prover())

    async def desk(self) -> DeskClient:
        return DeskClient(await self.wiring.temporal.client(), prover=self.prover())

    def prover(self) -> Prover:
        """Proofs of this person's commands. Raises `NoProof`."""
        return self._exchange().prover(self._credential())

    async def decision_token(self, approval_id: str, content_hash: str) -> str:
        """Raises `NoProof`."""
        return await self._exchange().decision(self._credential(), approval_id, content_hash)

    async def buyer_link(self, order_no: str, buyer: str) -> str:
        """What the person sends a buyer. Raises `NoProof`."""
        return await self._exchange().link(self._credential(), order_no, buyer)

    def _exchange(self) -> TokenExchange:
        if self.wiring.exchange is None:
            raise NoProof("nothing can be done from here: OMS_CONSOLE_EXCHANGE_URL is not set")
        return self.wiring.exchange

    def _credential(self) -> str:
        credential = opened(self.number, self.session.credential)
        if credential is None:
            raise NoProof("the session's own token cannot be read; sign in again")
        return credential


async def find_user(request: Request) -> User | None:
    """Looked up once a request; nobody is known from another request."""
    if not hasattr(request.state, "user"):
        request.state.user = await _find(request)
    user: User | None = request.state.user
    return user


async def _find(request: Request) -> User | None:
    wiring = wiring_of(request)
    number = wiring.cookie.of(request)
    if number is None:
        return None
    session = await wiring.sessions.find(hash_of(number), wiring.now(), wiring.idle)
    return User(session, number, wiring) if session else None
