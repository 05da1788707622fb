"""Proofs on a developer's stack: its keys lie in the environment, so anybody can be named there.

A name that the books know as a person's signs in at the local issuer; for any other, a buyer's, the shop speaks.
"""

from collections.abc import Awaitable, Callable

from config.optional import ServiceSettings, TokenSettings, load_service
from config.sources import is_local_stack, load
from domain.access.authority import Binding
from providers.tokens.issue import read_key
from starter.clients.proving import Prover, local_issuer, service


def stack_prover(knows: Callable[[str], Awaitable[bool]]) -> Prover | None:
    """`knows`: whether the books know a person. None: this is no developer's stack, or it has no keys. Raises
    `UnableToConfigure`, `UnusableKeys`."""
    tokens, shop = load(TokenSettings), load_service()
    if not is_local_stack() or tokens.private_key is None:
        return None
    people = local_issuer(read_key(tokens.private_key.get_secret_value()), tokens.issuer, tokens.audience)
    backend = _backend(shop, tokens.audience)

    async def prove(binding: Binding, by: str) -> str:
        if backend is None or await knows(by):
            return await people(binding, by)
        return await backend(binding, by)

    return prove


def _backend(shop: ServiceSettings | None, audience: str) -> Prover | None:
    return service(read_key(shop.private_key.get_secret_value()), shop.name, audience) if shop else None
