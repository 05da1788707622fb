"""Who comes with a buyer's link: its signature, its end, its order; how often it is used."""

import hashlib
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request

from console.security.forms import SAFE_METHODS, says_our_origin
from console.security.pace import VisitorPace, address_of
from console.wiring import Wiring, wiring_of
from providers.tokens.errors import KeysUnavailable, TokenRefused
from providers.tokens.verify import BuyerLink
from starter.clients.exchange import NoProof
from starter.clients.returns import ReturnClient

LOOKS, ACTS, STRANGERS = 120, 60, 60
"""A minute: of one link, to look and to do; of one address, with links that are none."""


@dataclass(frozen=True, repr=False)
class LinkedBuyer:
    """`token`: the link itself, which is all that opens these pages."""

    link: BuyerLink
    token: str
    wiring: Wiring

    async def returns(self) -> ReturnClient:
        """Commands in this buyer's name. Raises `NoProof`, `Unreachable`, `UnableToConfigure`."""
        if self.wiring.exchange is None:
            raise NoProof("nothing can be done from here: OMS_CONSOLE_EXCHANGE_URL is not set")
        prover = self.wiring.exchange.buyer_prover(self.token)
        return ReturnClient(await self.wiring.temporal.client(), prover=prover)


class LinkPaces:
    """Of one process."""

    def __init__(self) -> None:
        self.looks, self.acts, self.strangers = VisitorPace(LOOKS), VisitorPace(ACTS), VisitorPace(STRANGERS)


async def buyer_of(request: Request, token: str) -> LinkedBuyer:
    """Raises `HTTPException`: 410 for a link that does not hold, 429 for one that is used too often, 404 where no links
    are made."""
    wiring, now = wiring_of(request), wiring_of(request).now()
    if wiring.links is None:
        raise HTTPException(404)
    paces = _paces(request)
    address = address_of(request)
    try:
        link = await wiring.links.verify_link(token)
    except TokenRefused:
        raise HTTPException(410 if paces.strangers.allows(address, now) else 429) from None
    except KeysUnavailable:
        raise HTTPException(503) from None
    changes = request.method not in SAFE_METHODS
    if changes and not says_our_origin(request, wiring.settings.url):
        raise HTTPException(403)
    pace = paces.acts if changes else paces.looks
    if not pace.allows(hashlib.sha256(token.encode()).hexdigest(), now):
        raise HTTPException(429)
    return LinkedBuyer(link, token, wiring)


def _paces(request: Request) -> LinkPaces:
    if not hasattr(request.app.state, "link_paces"):
        request.app.state.link_paces = LinkPaces()
    paces: LinkPaces = request.app.state.link_paces
    return paces
