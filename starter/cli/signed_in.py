"""Proofs of who has signed in at an identity provider: each command's token comes by exchange (RFC 8693), bound to what
is sent; the sign-in is renewed when it is over. The worker verifies, nobody here (decision 0050)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx

from config.login import load_login
from domain.access.authority import Binding
from starter.cli import session
from starter.cli.errors import Forbidden
from starter.clients.device_login import DeviceLogin, NoSignIn
from starter.clients.exchange import NoProof, TokenExchange
from starter.clients.proving import Prover

TIMEOUT_S = 20.0
SOON = timedelta(seconds=30)


def _now() -> datetime:
    return datetime.now(UTC)


def session_prover(now: Callable[[], datetime] = _now) -> Prover | None:
    """None: nobody has signed in at a provider here. The prover raises `Forbidden`."""
    found = session.current()
    if found is None or found.granted is None:
        return None
    signed_in = found

    async def prove(binding: Binding, by: str) -> str:
        if by != signed_in.person:
            raise Forbidden(f"you are signed in as {signed_in.person}, and this would be in the name of {by}.")
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as http:
            granted = await fresh(http, signed_in, now)
            try:
                return await TokenExchange(http, granted.exchange_url).prover(granted.access_token)(binding, by)
            except NoProof as why:
                raise Forbidden(f"{why}.") from None

    return prove


async def fresh(http: httpx.AsyncClient, signed_in: session.Session, now: Callable[[], datetime]) -> session.Granted:
    """Raises `Forbidden` when the sign-in is over."""
    granted, settings = signed_in.granted, load_login()
    assert granted is not None
    if now() + SOON < granted.until:
        return granted
    if granted.refresh_token is None or settings is None:
        raise Forbidden("your sign-in is over; `oms login` anew.")
    try:
        login = DeviceLogin(http, settings.issuer, settings.client_id, settings.scope)
        tokens = await login.refreshed(granted.refresh_token)
    except NoSignIn as why:
        raise Forbidden(f"{why}.") from None
    if tokens.person != signed_in.person:
        raise Forbidden("the provider has renewed the sign-in of somebody else; `oms login` anew.")
    renewed = granted.model_copy(
        update={"access_token": tokens.access_token, "until": tokens.until, "refresh_token": tokens.refresh_token}
    )
    session.keep(signed_in.model_copy(update={"granted": renewed}))
    return renewed
