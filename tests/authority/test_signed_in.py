"""From a sign-in at a provider to a command that a worker has believed: nothing in between is played by the test."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.approvers import AUDIENCE
from config.login import LoginSettings
from domain.access.authority import ProofCode
from domain.states import OrderStatus
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer
from sandbox.core import serve
from sandbox.identity import IdentityProvider
from starter.cli import session
from starter.cli.approvals.login import signed_in
from starter.cli.errors import Forbidden
from starter.cli.signed_in import session_prover
from starter.clients.device_login import DeviceLogin
from starter.clients.errors import CommandRefused
from starter.clients.orders import OrderClient
from tests.authority.sender import Sender
from tests.returns.orders import cups, paid
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


class Desk:
    """A person at a terminal, and the device on which they agree. Both live in the time of the house."""

    def __init__(self, house: ScenarioEnvironment, idp: IdentityProvider, url: str, http: httpx.AsyncClient) -> None:
        self.house, self.idp, self.url, self.http = house, idp, url, http
        self.settings = LoginSettings(issuer=url, client_id="oms-cli")

    def now(self) -> datetime:
        return self.house.now()

    async def login(self, person: str) -> None:
        """`oms login`."""

        async def agrees(_: float) -> None:
            (device,) = self.idp.devices.values()
            await self.http.post(f"{self.url}/_approve", data={"user_code": device.user_code, "person": person})

        login = DeviceLogin(self.http, self.url, "oms-cli", "openid", sleep=agrees, now=self.now)
        signed_in(await login.tokens(await login.begin()), self.settings, self.now())

    def client(self) -> OrderClient:
        """As the terminal builds it: whoever has signed in proves each command."""
        return OrderClient(self.house.temporal, prover=session_prover(self.now))


@pytest_asyncio.fixture(loop_scope="session")
async def desk(house: ScenarioEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Desk]:
    idp = IdentityProvider()
    async with serve(idp.app) as url, httpx.AsyncClient() as http:
        idp.clock = lambda: house.now().timestamp()
        keys = GivenKeys(read_key_set(json.dumps(idp.jwks)))
        house.office.providers[url] = Issuer(url, AUDIENCE, keys, "oidc")
        monkeypatch.setenv("OMS_STATE_DIR", str(tmp_path))
        monkeypatch.setenv("OMS_LOGIN_ISSUER", url)
        monkeypatch.setenv("OMS_LOGIN_CLIENT_ID", "oms-cli")
        yield Desk(house, idp, url, http)


async def test_who_signs_in_gives_commands_in_their_own_name_and_nobody_elses(
    house: ScenarioEnvironment, desk: Desk
) -> None:
    life = await paid(house, cups())
    number, sender = life.order.order_no, Sender(house, f"order/{life.order.order_no}")
    await desk.login("u-wh")
    with pytest.raises(CommandRefused) as refused:
        await desk.client().cancel(number, CancelOrder(by="u-wh", reason="the buyer rang"))
    assert refused.value.type == ProofCode.WRONG_ROLE
    await desk.login("u-cs")
    with pytest.raises(Forbidden, match="in the name of u-fin"):
        await desk.client().cancel(number, CancelOrder(by="u-fin", reason="the buyer rang"))
    assert (await house.client.view(number)).status is OrderStatus.AWAITING_SHIPMENT
    await desk.client().cancel(number, CancelOrder(by="u-cs", reason="the buyer rang"))
    await house.rest()
    (admitted,) = await sender.audited("command.admitted")
    assert (admitted.actor, admitted.detail["role"]) == ("u-cs", "CS_AGENT")
    issuer = await house.pool.fetchval("SELECT token_id FROM command_proofs WHERE command = 'order.cancel'")
    assert issuer.startswith(desk.url), "the provider's own token is kept as evidence"
    assert list(house.systems.refunds.values()) == [6_000]


async def test_who_has_signed_out_or_is_not_believed_any_more_moves_nothing(
    house: ScenarioEnvironment, desk: Desk
) -> None:
    life = await paid(house, cups())
    number, cancel = life.order.order_no, CancelOrder(by="u-cs", reason="the buyer rang")
    await desk.login("u-cs")
    as_before = desk.client()
    session.forget()
    with pytest.raises(CommandRefused) as unproven:
        await desk.client().cancel(number, cancel)
    assert unproven.value.type == ProofCode.PROOF_REQUIRED
    del house.office.providers[desk.url]
    with pytest.raises(CommandRefused) as unknown:
        await as_before.cancel(number, cancel)
    assert unknown.value.type == ProofCode.TOKEN_INVALID
    assert (await house.client.view(number)).status is OrderStatus.AWAITING_SHIPMENT
