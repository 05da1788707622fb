"""An identity provider instead of our own issuer: its key set fetched over https and cached, its roles mapped, and
people who were deactivated here stay so."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from temporalio.exceptions import ApplicationError

from activities.approvals import KEYS_UNAVAILABLE
from domain.approvals import ApprovalRequest, RefusalCode, Role
from providers.tokens.errors import KeysUnavailable, UnusableKeys
from providers.tokens.issue import key_set, new_key, read_key
from providers.tokens.keys import FetchedKeys, FileKeys, read_key_set
from providers.tokens.verify import Issuer
from tests.approvals.world import NOW, Office

NAME, AUDIENCE = "https://login.example.com/realms/shop", "oms"
PRIVATE = rsa.generate_private_key(65537, 2048)


class Provider:
    """The key set of a provider behind https; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.key_id = "k1"

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE.public_key()))
        return httpx.Response(self.status, json={"keys": [key | {"kid": self.key_id, "use": "sig"}]})

    def issuer(self, office: Office, **changed: Any) -> Issuer:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        keys = FetchedKeys(http, "https://login.example.com/keys", lambda: office.now)
        named: dict[str, Any] = {
            "roles_claim": "realm_access.roles", "role_names": {"shop-finance": Role.FINANCE},
            "person_claim": "preferred_username", "source": "oidc",
        }  # fmt: skip
        return Issuer(NAME, AUDIENCE, keys, **(named | changed))


def login(office: Office, asked: ApprovalRequest, roles: list[str], key_id: str = "k1", jti: str = "1") -> str:
    """As an OpenID Connect login with `nonce` = approval and content."""
    at = int(office.now.timestamp())
    claims = {
        "iss": NAME, "aud": AUDIENCE, "sub": "0f2e", "preferred_username": "li.na", "iat": at, "exp": at + 300,
        "jti": jti, "nonce": f"{asked.approval_id}.{asked.content_hash}", "realm_access": {"roles": roles},
    }  # fmt: skip
    return jwt.encode(claims, PRIVATE, algorithm="RS256", headers={"kid": key_id})


async def test_a_login_at_the_provider_decides_with_the_roles_it_tells(office: Office) -> None:
    asked = await office.open()
    office.issuers = [Provider().issuer(office)]
    token = login(office, asked, ["shop-finance", "something else"])
    decided = await office.decide(office.decision("li.na", asked, token=token))
    assert (decided.person_id, decided.role) == ("li.na", Role.FINANCE)
    (person,) = [p for p in await office.people.list(NOW) if p.person_id == "li.na"]
    assert (person.source, person.roles) == ("oidc", (Role.FINANCE,))


async def test_words_that_are_not_mapped_are_no_roles(office: Office) -> None:
    asked = await office.open()
    office.issuers = [Provider().issuer(office)]
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("li.na", asked, token=login(office, asked, ["FINANCE", "ADMIN"])))
    assert refused.value.type == RefusalCode.WRONG_ROLE


async def test_who_was_deactivated_here_stays_so_whatever_the_provider_says(office: Office) -> None:
    asked = await office.open()
    office.issuers = [Provider().issuer(office)]
    await office.people.add("li.na", [], "u-admin", NOW)
    await office.people.set_active("li.na", False, "u-admin", NOW)
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("li.na", asked, token=login(office, asked, ["shop-finance"])))
    assert refused.value.type == RefusalCode.PERSON_INACTIVE


async def test_the_key_set_is_cached_renewed_and_not_asked_for_made_up_ids(office: Office) -> None:
    provider = Provider()
    keys = provider.issuer(office).keys
    assert await keys.find("k1")
    for _ in range(5):
        assert await keys.find("made-up") is None
    assert provider.asked == 1
    office.passes(timedelta(seconds=31))
    provider.key_id = "k2"
    assert await keys.find("k2")
    assert await keys.find("k1") is None
    assert provider.asked == 2
    office.passes(timedelta(minutes=11))
    assert await keys.find("k2")
    assert provider.asked == 3


async def test_a_provider_that_is_away_is_an_outage_and_no_refusal(office: Office) -> None:
    asked = await office.open()
    provider = Provider()
    provider.status = 503
    office.issuers = [provider.issuer(office)]
    with pytest.raises(ApplicationError) as failed:
        await office.decide(office.decision("li.na", asked, token=login(office, asked, ["shop-finance"])))
    assert failed.value.type == KEYS_UNAVAILABLE
    assert not failed.value.non_retryable
    assert await office.refusals() == []


async def test_a_key_in_a_file_can_be_replaced_while_running(tmp_path: Path) -> None:
    old, new = read_key(new_key()), read_key(new_key())
    file = tmp_path / "jwks.json"
    keys = FileKeys(file)
    with pytest.raises(KeysUnavailable):
        await keys.find("x")
    file.write_text(json.dumps(key_set(old)))
    assert await keys.find(old.key_id)
    file.write_text(json.dumps(key_set(old, new)) + "\n")
    assert await keys.find(new.key_id)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", '{"keys": []}', '{"keys": {}}', '{"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "short"}]}',
        '{"keys": [], "keys": []}', '{"keys": [' + "{}," * 200 + "{}]}",
    ],
)  # fmt: skip
def test_a_key_set_without_a_usable_key_is_refused(text: str) -> None:
    with pytest.raises(UnusableKeys):
        read_key_set(text)


def test_key_sets_are_fetched_over_https_only() -> None:
    with pytest.raises(UnusableKeys):
        FetchedKeys(httpx.AsyncClient(), "http://login.example.com/keys", lambda: NOW)
