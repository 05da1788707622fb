"""From a proven sign-in to a session: a number for the browser, a row in the books, a credential sealed between."""

import hmac
from datetime import timedelta
from typing import Literal

import structlog

from console.session.cookies import hash_of, new_number, sealed
from console.session.provider import ProviderFailed, SignInAttempt
from console.text.catalogue import N_
from console.wiring import Wiring
from domain.access.authority import ProvenCaller
from domain.access.signing_in import SIGN_IN
from providers.tokens.errors import KeysUnavailable, TokenRefused
from starter.clients.exchange import NoProof
from store.console.sessions import NewSession, SignInSpent

log = structlog.get_logger("oms.console")
NOT_BY_PROVIDER = N_("The company's sign-in did not let you in. Try again.")
NO_LINK = N_("This link does not sign in, or not any more. Get a new one.")


class SignInFailed(Exception):
    """Nobody is signed in. `said`: a text for who tried, to be translated."""

    def __init__(self, said: str) -> None:
        self.said = said
        super().__init__(said)


async def open_session(wiring: Wiring, code: str, person: str) -> str:
    """With the number of a link of the local issuer, that was shown to be of this person. The number for the cookie.
    Raises `SignInFailed`."""
    if wiring.exchange is None:
        raise SignInFailed(NO_LINK)
    try:
        token = await wiring.exchange.sign_in(code)
        caller = await wiring.verifier.verify_command(token, SIGN_IN)
        if caller.person_id != person:
            raise NoProof("the link is of somebody else")
        await _insist_on_person(wiring, caller)
        credential = await wiring.exchange.session(token)
    except (NoProof, TokenRefused, KeysUnavailable) as why:
        log.warning("nobody was signed in", why=str(why))
        raise SignInFailed(NO_LINK) from None
    return await keep_session(wiring, caller, credential)


async def open_by_provider(wiring: Wiring, attempt: SignInAttempt, *, code: str, state: str, issuer: str) -> str:
    """Of who came back from the company's sign-in. The number for the cookie. Raises `SignInFailed`."""
    if wiring.provider is None:
        raise SignInFailed(NOT_BY_PROVIDER)
    try:
        token = await wiring.provider.id_token(attempt, code=code, state=state, issuer=issuer)
        caller = await wiring.verifier.verify_sign_in(token, attempt.nonce)
    except (ProviderFailed, TokenRefused, KeysUnavailable) as why:
        log.warning("nobody was signed in", why=str(why))
        raise SignInFailed(NOT_BY_PROVIDER) from None
    await _insist_on_person(wiring, caller)
    return await keep_session(wiring, caller, token)


async def open_by_messenger(wiring: Wiring, attempt: SignInAttempt, *, code: str, state: str, back: str) -> str:
    """Of who came back from the company's messenger. The number for the cookie. Raises `SignInFailed`."""
    if wiring.messenger is None or wiring.exchange is None:
        raise SignInFailed(NOT_BY_PROVIDER)
    try:
        if not hmac.compare_digest(state.encode(), attempt.plain_state.encode()) or not code:
            raise NoProof("the answer belongs to another attempt, or the messenger refused")
        token = await wiring.exchange.sign_in_by_messenger(code, back)
        caller = await wiring.verifier.verify_command(token, SIGN_IN)
        await _insist_on_person(wiring, caller)
        credential = await wiring.exchange.session(token)
    except (NoProof, TokenRefused, KeysUnavailable) as why:
        log.warning("nobody was signed in", why=str(why))
        raise SignInFailed(NOT_BY_PROVIDER) from None
    return await keep_session(wiring, caller, credential)


async def keep_session(wiring: Wiring, caller: ProvenCaller, credential: str) -> str:
    """`credential`: what the issuer takes for proofs of this person. Raises `SignInFailed`."""
    number, now = new_number(), wiring.now()
    source: Literal["local", "oidc"] = "oidc" if caller.source == "oidc" else "local"
    until = now + timedelta(seconds=wiring.settings.longest_s)
    new = NewSession(
        hash_of(number), caller.person_id, source, caller.roles, caller.token_id, sealed(number, credential), until
    )
    try:
        await wiring.sessions.open(new, now)
    except SignInSpent:
        raise SignInFailed(NO_LINK) from None
    return number


async def _insist_on_person(wiring: Wiring, caller: ProvenCaller) -> None:
    person = await wiring.sessions.person(caller.person_id, caller.roles, wiring.now())
    if person is None or not person.active or not person.roles:
        log.warning("nobody was signed in", person=caller.person_id, why="not known, deactivated, or without a role")
        raise SignInFailed(N_("This person is not known here, has no role, or was deactivated. Ask an administrator."))
