"""Whom the worker believes of the programs that use the open API: the books have the public half of each token."""

from domain.access.api_tokens import SERVICE
from domain.clock import Clock
from providers.tokens.api_tokens import believed
from providers.tokens.keys import PublicKey
from providers.tokens.verify import Issuer
from store.approvals.api_tokens import ApiTokenStore
from store.pool import Pool


class ApiKeys:
    """The keys of one service, by the numbers of its tokens."""

    def __init__(self, store: ApiTokenStore, service: str, now: Clock) -> None:
        self._store = store
        self._service = service
        self._now = now

    async def find(self, key_id: str) -> PublicKey | None:
        found = await self._store.find(key_id, self._now())
        ours = found is not None and found.token.service == self._service
        return believed(found.token.public_key) if found is not None and ours else None

    def at_hand(self, key_id: str) -> PublicKey | None:
        """None are: what asks so is decisions, and a service decides nothing."""
        return None

    def is_current(self) -> bool:
        return True


class ApiIssuers:
    """Every `api/…` speaks for itself."""

    def __init__(self, pool: Pool, audience: str, now: Clock) -> None:
        self._store = ApiTokenStore(pool)
        self._audience = audience
        self._now = now

    def __call__(self, name: str) -> Issuer | None:
        if not name.startswith(SERVICE):
            return None
        return Issuer(name, self._audience, ApiKeys(self._store, name, self._now), "service")
