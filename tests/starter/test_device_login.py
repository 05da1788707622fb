"""Signing in on another device, at a provider that speaks the real protocol; then a proof bound to one command."""

import json
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from config.login import LoginSettings
from domain.access.authority import Binding, message_hash
from domain.approvals import Role, ask
from providers.tokens.errors import TokenElsewhere, TokenInvalid
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from sandbox.core import serve
from sandbox.identity import IdentityProvider
from starter.cli import session
from starter.cli.approvals.deciding import decision_tokens
from starter.cli.approvals.login import signed_in
from starter.cli.errors import BadInput, Forbidden
from starter.cli.signed_in import session_prover
from starter.clients.device_login import DeviceLogin, NoSignIn, Tokens

CANCEL = Binding("order/SO1", "order.cancel", message_hash({"by": "u-cs", "reason": "the buyer rang"}))


@dataclass
class Provider:
    """`now`: the provider's and ours; waiting lets it pass."""

    url: str
    idp: IdentityProvider
    http: httpx.AsyncClient
    now: datetime = datetime(2026, 11, 30, tzinfo=UTC)
    waits: list[float] = field(default_factory=list)
    agrees_after: int = 1
    refuses: bool = False

    def login(self) -> DeviceLogin:
        return DeviceLogin(self.http, self.url, "oms-cli", "openid", sleep=self._sleep, now=lambda: self.now)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)
        if len(self.waits) == self.agrees_after:
            (device,) = self.idp.devices.values()
            way = "_deny" if self.refuses else "_approve"
            await self.http.post(f"{self.url}/{way}", data={"user_code": device.user_code, "person": "u-cs"})

    async def tokens(self) -> Tokens:
        login = self.login()
        return await login.tokens(await login.begin())

    def seconds(self) -> float:
        return self.now.timestamp()

    def verifier(self) -> TokenVerifier:
        keys = GivenKeys(read_key_set(json.dumps(self.idp.jwks)))
        return TokenVerifier([Issuer(self.url, "oms-approvals", keys, "oidc")], lambda: self.now)

    def settings(self) -> LoginSettings:
        return LoginSettings(issuer=self.url, client_id="oms-cli")


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    idp = IdentityProvider()
    async with serve(idp.app) as url, httpx.AsyncClient() as http:
        made = Provider(url, idp, http)
        idp.clock = made.seconds
        yield made


async def test_who_agrees_on_another_device_is_signed_in(provider: Provider) -> None:
    provider.agrees_after = 3
    tokens = await provider.tokens()
    assert (tokens.person, tokens.refresh_token is not None) == ("u-cs", True)
    assert provider.waits == [5, 5, 5], "as seldom as the provider wants it"


async def test_a_provider_that_wants_it_slower_is_asked_more_seldom(provider: Provider) -> None:
    login = provider.login()
    offer = replace(await login.begin(), interval_s=3)
    provider.agrees_after = 3
    assert (await login.tokens(offer)).person == "u-cs"
    assert provider.waits == [3, 3, 8]


async def test_a_refusal_and_a_code_that_has_expired_sign_nobody_in(provider: Provider) -> None:
    provider.refuses = True
    with pytest.raises(NoSignIn, match="refused on the other device"):
        await provider.tokens()
    provider.idp.devices.clear()
    provider.waits.clear()
    provider.agrees_after, provider.idp.device_life_s = 10**6, 60
    with pytest.raises(NoSignIn, match="nobody has agreed in time"):
        await provider.tokens()
    assert len(provider.waits) < 20


async def test_another_issuer_under_the_address_is_not_believed(provider: Provider) -> None:
    async def disguised(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"issuer": "https://another.example", "token_endpoint": "https://x/token"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(disguised)) as http:
        with pytest.raises(NoSignIn, match="another issuer"):
            await DeviceLogin(http, provider.url, "oms-cli", "openid").begin()


async def test_the_sign_in_is_kept_for_its_owner_alone_and_proves_one_command(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OMS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("OMS_LOGIN_ISSUER", provider.url)
    monkeypatch.setenv("OMS_LOGIN_CLIENT_ID", "oms-cli")
    provider.now = datetime.now(UTC)
    signed_in(await provider.tokens(), provider.settings(), datetime.now(UTC))
    assert stat.S_IMODE(session.file().stat().st_mode) == 0o600
    prover = session_prover(lambda: provider.now)
    assert prover is not None
    proof = await prover(CANCEL, "u-cs")
    caller = await provider.verifier().verify_command(proof, CANCEL)
    assert (caller.person_id, caller.source) == ("u-cs", "oidc")
    other = Binding("order/SO2", CANCEL.command, CANCEL.content_hash)
    with pytest.raises((TokenElsewhere, TokenInvalid)):
        await provider.verifier().verify_command(proof, other)
    with pytest.raises(Forbidden, match="in the name of u-fin"):
        await prover(CANCEL, "u-fin")
    session.forget()
    assert session_prover() is None


async def test_who_has_signed_in_decides_and_each_token_is_of_one_approval(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OMS_STATE_DIR", str(tmp_path))
    wanted = tuple(
        ask(
            "cancel_paid",
            subject=f"order/SO{n}",
            n=1,
            version=1,
            role=Role.CS_SUPERVISOR,
            requested_by="u-cs9",
            content={},
        )
        for n in (1, 2)
    )
    with pytest.raises(BadInput, match="oms login"):
        await decision_tokens(wanted)
    provider.now = datetime.now(UTC)
    signed_in(await provider.tokens(), provider.settings(), datetime.now(UTC))
    tokens = await decision_tokens(wanted, lambda: provider.now)
    for request, token in zip(wanted, tokens, strict=True):
        known = await provider.verifier().verify(token)
        assert (known.person_id, known.approval_id, known.content_hash) == (
            "u-cs", request.approval_id, request.content_hash,
        )  # fmt: skip


async def test_a_sign_in_that_is_over_is_renewed_and_one_that_cannot_be_says_so(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OMS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("OMS_LOGIN_ISSUER", provider.url)
    monkeypatch.setenv("OMS_LOGIN_CLIENT_ID", "oms-cli")
    provider.now = datetime.now(UTC)
    first = signed_in(await provider.tokens(), provider.settings(), datetime.now(UTC))
    provider.now += timedelta(hours=1)
    prover = session_prover(lambda: provider.now)
    assert prover is not None
    assert (await provider.verifier().verify_command(await prover(CANCEL, "u-cs"), CANCEL)).person_id == "u-cs"
    renewed = session.current()
    assert renewed is not None and renewed.granted is not None and first.granted is not None
    assert renewed.granted.access_token != first.granted.access_token and renewed.person == "u-cs"
    provider.idp.refresh.clear()
    provider.now += timedelta(hours=1)
    again = session_prover(lambda: provider.now)
    assert again is not None
    with pytest.raises(Forbidden, match="oms login"):
        await again(CANCEL, "u-cs")
