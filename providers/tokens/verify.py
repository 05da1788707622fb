"""Verifies a token: who it names, and for which approval of which content, or which command, it was made.

Pinned on our side: issuers, audience, each key's one algorithm. What the token says of itself picks from these tables
and adds nothing to them: no algorithm, no key, no address of a key.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import jwt

from domain.access.authority import READING, Binding, ProvenCaller
from domain.access.buyer_links import link_binding, order_of_link
from domain.approvals import Identity, Role
from domain.clock import Clock
from providers.tokens.errors import TokenElsewhere, TokenExpired, TokenInvalid
from providers.tokens.keys import KeySource, PublicKey

LONGEST = 8_192
CLOCKS_APART = timedelta(seconds=30)
"""How far the issuer's clock may be off when it stamps the beginning; the end is the end."""
LONGEST_WAIT = timedelta(hours=72)
"""What was given in time may have waited so long for somebody to look at it: an outage over a weekend, and no more. Who
holds a start back on purpose gains nothing after that."""
REQUIRED = ("iss", "aud", "exp", "iat", "sub", "jti")
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_NUMBER = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True)
class Issuer:
    """Whose tokens we take. `roles_claim` None: our own books tell the roles; else its words, by `role_names`.

    A service is an issuer that speaks for itself only: its name is the one person that its tokens name."""

    name: str
    audience: str
    keys: KeySource
    source: Literal["local", "oidc", "service"] = "local"
    person_claim: str = "sub"
    roles_claim: str | None = None
    role_names: Mapping[str, Role] = field(default_factory=dict)
    longest_life: timedelta = timedelta(minutes=15)


def nobody_else(_name: str) -> Issuer | None:
    return None


@dataclass(frozen=True)
class BuyerLink:
    """Whose link it is, for which order, by which service, until when."""

    order_no: str
    buyer_id: str
    service: str
    ends_at: datetime


class TokenVerifier:
    def __init__(
        self, issuers: Sequence[Issuer], now: Clock, others: Callable[[str], Issuer | None] = nobody_else
    ) -> None:
        """`others`: issuers that are not settings, by name."""
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._now = now
        self._others = others

    async def verify(self, token: str, *, may_be_over: bool = False) -> Identity:
        """Of a decision. `may_be_over`: of one that was taken in its time. Raises `TokenInvalid`, `TokenExpired`, and
        `KeysUnavailable` when the keys cannot be fetched now."""
        claims, issuer, _ = await self._verified(token, may_be_over=may_be_over)
        if issuer.source == "service":
            raise TokenInvalid("a service decides nothing")
        approval_id, content_hash = _made_for(claims)
        return Identity(
            person_id=_person(claims, issuer),
            token_id=_token_id(claims, issuer),
            approval_id=approval_id,
            content_hash=content_hash,
            source=issuer.source,
            roles=_roles(claims, issuer),
        )

    async def verify_command(
        self, token: str, wanted: Binding, *, at: datetime | None = None, may_be_over: bool = False
    ) -> ProvenCaller:
        """Of a command. `at`: when it was given, if that was before now, and not longer ago than `LONGEST_WAIT`. Raises
        as `verify` does, and `TokenElsewhere` for one made for anything but `wanted`."""
        claims, issuer, key_id = await self._verified(token, at, may_be_over=may_be_over)
        _insist_on_binding(claims, wanted)
        service, spoken_for = issuer.source == "service", claims.get("on_behalf_of")
        if spoken_for is not None and not (service and isinstance(spoken_for, str) and _PERSON.fullmatch(spoken_for)):
            raise TokenInvalid("on_behalf_of is for services, and names a person")
        return ProvenCaller(
            person_id=_person(claims, issuer),
            token_id=_token_id(claims, issuer),
            source=issuer.source,
            roles=frozenset({Role.SERVICE}) if service else _roles(claims, issuer),
            on_behalf_of=spoken_for,
            claims=claims,
            key_id=key_id,
        )

    async def verify_reader(self, token: str) -> ProvenCaller:
        """Of somebody who reads histories: a token made for that, or one of the identity provider that is bound to
        nothing. Raises as `verify` does, and `TokenElsewhere` for one made for a command or an approval."""
        claims, issuer, _ = await self._verified(token)
        if issuer.source == "service":
            raise TokenInvalid("a service reads no histories")
        bound = any(name in claims for name in ("nonce", "workflow_id", "command", "content_hash", "approval_id"))
        if bound or issuer.source != "oidc":
            _insist_on_binding(claims, READING)
        person, number, roles = _person(claims, issuer), _token_id(claims, issuer), _roles(claims, issuer)
        return ProvenCaller(person, number, issuer.source, roles, None, claims)

    async def verify_sign_in(self, token: str, nonce: str) -> ProvenCaller:
        """Of somebody who signs in at the identity provider: a token that was asked for with this nonce. Raises as
        `verify` does, and `TokenElsewhere`."""
        claims, issuer, _ = await self._verified(token)
        if issuer.source != "oidc":
            raise TokenInvalid("only an identity provider signs people in so")
        if not isinstance(claims.get("nonce"), str) or claims["nonce"] != nonce:
            raise TokenElsewhere("the sign-in was asked for elsewhere; sign in again")
        person, number, roles = _person(claims, issuer), _token_id(claims, issuer), _roles(claims, issuer)
        return ProvenCaller(person, number, issuer.source, roles, None, claims)

    async def verify_link(self, token: str) -> BuyerLink:
        """Of a buyer: signed by a service that vouches for them. Raises as `verify_command` does."""
        claims, issuer, _ = await self._verified(token)
        order_no, buyer = order_of_link(claims.get("workflow_id")), claims.get("on_behalf_of")
        if issuer.source != "service" or order_no is None:
            raise TokenElsewhere("this is no link of a buyer")
        _insist_on_binding(claims, link_binding(order_no))
        if not isinstance(buyer, str) or not _PERSON.fullmatch(buyer):
            raise TokenInvalid("the link names no buyer")
        _person(claims, issuer)
        return BuyerLink(order_no, buyer, issuer.name, _moment(claims["exp"]))

    def signer(self, token: str) -> str | None:
        """Whom a token names, by the keys at hand. Empty: nobody of ours has signed it, or it is over; None: its key
        may be a new one, which `verify` would ask for."""
        try:
            issuer, key_id = self._named_by(token)
            key = issuer.keys.at_hand(key_id)
            if key is None:
                return "" if issuer.keys.is_current() else None
            claims = _claims(token, issuer, key)
            self._check_times(claims, issuer)
            return _person(claims, issuer)
        except (TokenInvalid, TokenExpired):
            return ""

    async def is_signed(self, token: str) -> bool:
        """By somebody of ours, and in time. Raises `KeysUnavailable`."""
        try:
            await self._verified(token)
        except (TokenInvalid, TokenExpired):
            return False
        return True

    async def _verified(
        self, token: str, at: datetime | None = None, *, may_be_over: bool = False
    ) -> tuple[Mapping[str, Any], Issuer, str]:
        issuer, key_id = self._named_by(token)
        key = await issuer.keys.find(key_id)
        if key is None:
            raise TokenInvalid("the token names a key that its issuer does not have")
        claims = _claims(token, issuer, key)
        self._check_times(claims, issuer, at, may_be_over=may_be_over)
        return claims, issuer, key_id

    def _named_by(self, token: str) -> tuple[Issuer, str]:
        """Issuer and key id as the unverified token names them: words to look up, nothing else."""
        if len(token) > LONGEST or not token.isascii():
            raise TokenInvalid("the token is too long or not ASCII")
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError, TypeError):
            raise TokenInvalid("this is no token") from None
        named, key_id = claims.get("iss"), header.get("kid")
        issuer = self._issuers.get(named) or self._others(named) if isinstance(named, str) else None
        if issuer is None:
            raise TokenInvalid("the token is of no issuer that is known here")
        if not isinstance(key_id, str):
            raise TokenInvalid("the token names no key")
        return issuer, key_id

    def _check_times(
        self, claims: Mapping[str, Any], issuer: Issuer, at: datetime | None = None, *, may_be_over: bool = False
    ) -> None:
        now = self._now()
        given = now if at is None or at < now - LONGEST_WAIT else min(at, now)
        begin, end = _moment(claims["iat"]), _moment(claims["exp"])
        if begin > now + CLOCKS_APART or _moment(claims.get("nbf", claims["iat"])) > now + CLOCKS_APART:
            raise TokenInvalid("the token is not valid yet; look at the clocks")
        if end <= given and not may_be_over:
            raise TokenExpired("the token has expired; get a new one")
        if end - begin > issuer.longest_life:
            raise TokenInvalid(f"the token lives longer than the {issuer.longest_life} that are taken here")


def _claims(token: str, issuer: Issuer, key: PublicKey) -> Mapping[str, Any]:
    options: Any = {"require": list(REQUIRED), "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token, key.key, algorithms=[key.algorithm], audience=issuer.audience, issuer=issuer.name, options=options
        )
    except jwt.InvalidAudienceError:
        raise TokenInvalid("the token is for another audience") from None
    except jwt.MissingRequiredClaimError as error:
        raise TokenInvalid(f"the token lacks {error.claim}") from None
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise TokenInvalid(f"the token does not verify ({type(error).__name__})") from None
    return claims


def _person(claims: Mapping[str, Any], issuer: Issuer) -> str:
    person = claims.get(issuer.person_claim)
    if not isinstance(person, str) or not _PERSON.fullmatch(person):
        raise TokenInvalid(f"the token's {issuer.person_claim} is no usable person id")
    if (person == issuer.name) != (issuer.source == "service"):
        raise TokenInvalid("a service speaks for itself, and nobody else does")
    return person


def _token_id(claims: Mapping[str, Any], issuer: Issuer) -> str:
    number = claims["jti"]
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        raise TokenInvalid("the token's jti is no usable number")
    return f"{issuer.name} {number}"


def _insist_on_binding(claims: Mapping[str, Any], wanted: Binding) -> None:
    """Claims of the local issuer and of services; or the `nonce` of an OpenID Connect login."""
    bound = tuple(claims.get(name) for name in ("workflow_id", "command", "content_hash"))
    if bound == (None, None, None) and claims.get("nonce") == wanted.nonce:
        return
    named = (("workflow", wanted.workflow_id), ("command", wanted.command), ("content", wanted.content_hash))
    for (what, value), found in zip(named, bound, strict=True):
        if found != value:
            raise TokenElsewhere(f"the proof was made for another {what} than this {wanted.command}; make a new one")


def _made_for(claims: Mapping[str, Any]) -> tuple[str, str]:
    """Claims of the local issuer; or the `nonce` of an OpenID Connect login, `{approval_id}.{content_hash}`."""
    made_for = (claims.get("approval_id"), claims.get("content_hash"))
    if made_for == (None, None) and isinstance(claims.get("nonce"), str):
        approval_id, _, content_hash = claims["nonce"].rpartition(".")
        made_for = (approval_id, content_hash)
    if not (isinstance(made_for[0], str) and isinstance(made_for[1], str)):
        raise TokenInvalid("the token does not say for which approval and content it was made")
    return made_for[0], made_for[1]


def _roles(claims: Mapping[str, Any], issuer: Issuer) -> frozenset[Role] | None:
    """`roles_claim` may be a path (`realm_access.roles`). Words that are not mapped mean nothing here."""
    if issuer.roles_claim is None:
        return None
    value: Any = claims
    for name in issuer.roles_claim.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    words = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(issuer.role_names[w] for w in words if isinstance(w, str) and w in issuer.role_names)


def _moment(value: Any) -> datetime:
    """A NumericDate: whole or fractional seconds, within this millennium or so."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 32_503_680_000:
        raise TokenInvalid("the token's times are no times")
    return datetime.fromtimestamp(value, UTC)
