"""What people have decided about sources of callbacks, followed by every relay within seconds (`source_rules`)."""

from collections.abc import Mapping
from ipaddress import ip_network

from domain.access.addresses import Addresses
from domain.clock import Clock
from providers.callbacks import CallbackRefused
from relay.jobs.periodic import Watch
from store.inbox.sources import SourceRule, SourceStore

LOOK_S = 5.0


class SourceRules:
    """`known`: looked up at least once. Until then nothing is let in that may have been stopped; where nobody looks
    them up (`fixed`), all sources are as their settings say."""

    def __init__(self, *, fixed: bool = True) -> None:
        self.known = fixed
        self._stopped: frozenset[str] = frozenset()
        self._addresses = Addresses()

    def take(self, rules: Mapping[str, SourceRule]) -> None:
        self._stopped = frozenset(source for source, rule in rules.items() if not rule.enabled)
        self._addresses = Addresses({s: [ip_network(text) for text in rule.allow] for s, rule in rules.items()})
        self.known = True

    def insist(self, source: str, caller: str) -> None:
        """Raises `CallbackRefused`."""
        if source in self._stopped:
            raise CallbackRefused(
                "stopped", "this source is stopped here; ask whom you have agreed it with", status=403
            )
        if not self._addresses.allowed(source, caller):
            raise CallbackRefused("foreign_ip", "the caller's address is not on the list of this source", status=403)


class SourceWatch(Watch):
    """Says which sources this relay has, and follows what is decided about them."""

    def __init__(
        self, store: SourceStore, rules: SourceRules, configured: Mapping[str, tuple[str, ...]], clock: Clock,
        *, look_s: float = LOOK_S,
    ) -> None:  # fmt: skip
        super().__init__("sources of callbacks", look_s)
        self._store = store
        self._rules = rules
        self._configured = configured
        self._clock = clock
        self._told = False

    async def look(self) -> None:
        if not self._told:
            await self._store.started(self._configured, self._clock())
            self._told = True
        self._rules.take(await self._store.rules())
