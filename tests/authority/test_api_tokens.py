"""A token of the open API gives what its scopes say, for its shops, until it is revoked, in nobody else's name."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.approvers import AUDIENCE
from domain.access.api_tokens import ASKED_FOR, ApiScope
from domain.access.authority import AUTHORITY, ProofCode
from domain.access.controls import AddApiToken, ControlChange, RevokeApiToken, SetActive
from domain.states import OrderStatus
from providers.tokens.api_tokens import key_of, new_text, public_half
from providers.tokens.issue import SigningKey
from starter.clients.controls import ChangeNotAsked
from starter.clients.errors import CommandRefused
from starter.clients.orders import OrderClient
from starter.clients.proving import service
from tests.authority.test_controls import Controls, controls
from tests.returns.orders import cups, paid
from workflows.order.messages import CancelOrder

__all__ = ["controls"]
pytestmark = pytest.mark.usefixtures("cancelled_at_once")
ERP = "api/erp"
WRITES = (ApiScope.ORDERS_WRITE,)


class Program:
    """Has the text of a token."""

    def __init__(self, house: ScenarioEnvironment, name: str = ERP) -> None:
        self.house, self.name = house, name
        key = key_of(new_text())
        assert key is not None
        self.key: SigningKey = key

    def wanted(self, scopes: tuple[ApiScope, ...] = WRITES, **more: Any) -> AddApiToken:
        until = self.house.now().replace(microsecond=0) + timedelta(days=30)
        fields: dict[str, Any] = {"scopes": scopes, "expires_at": until, "per_minute": 60}
        half = public_half(self.key).hex()
        return AddApiToken(service=self.name, token_no=self.key.key_id, public_key=half, **(fields | more))

    def client(self, signed_as: str | None = None) -> OrderClient:
        prover = service(self.key, signed_as or self.name, AUDIENCE, self.house.now)
        return OrderClient(self.house.temporal, prover=prover)

    async def cancels(self, order_no: str, by: str = "B-1") -> None:
        await self.client().cancel(order_no, CancelOrder(by=by, reason="not wanted any more"))

    async def is_refused(self, order_no: str, by: str = "B-1") -> str:
        with pytest.raises(CommandRefused) as refused:
            await self.cancels(order_no, by)
        return refused.value.type


@pytest_asyncio.fixture(loop_scope="session")
async def order_no(house: ScenarioEnvironment) -> str:
    return (await paid(house, cups())).order.order_no


async def made(controls: Controls, change: ControlChange, n: int = 1) -> None:
    done = await controls.decide(await controls.ask(change, n=n), "u-admin2")
    assert done.state == "made", done


async def test_a_token_counts_once_another_administrator_has_agreed_and_not_after_it_was_revoked(
    controls: Controls, order_no: str
) -> None:
    program = Program(controls.house)
    asked = await controls.ask(program.wanted())
    assert [line for line in asked.request.content["looser"] if "gets orders:write" in line]
    assert await program.is_refused(order_no) == ProofCode.TOKEN_INVALID, "only asked for"
    await controls.decide(asked, "u-admin2")
    await program.cancels(order_no)
    (row,) = await controls.house.pool.fetch("SELECT actor, detail FROM audit WHERE action = 'command.admitted' AND "
                                             "detail->>'command' = 'order.cancel'")  # fmt: skip
    assert (row["actor"], row["detail"]["on_behalf_of"]) == (ERP, "B-1")
    revoked = RevokeApiToken(service=ERP, token_no=program.key.key_id)
    answer = await controls.client().ask(revoked, 500_001, "u-admin1")
    assert answer.state == "made", "one is enough"
    second = cups().model_copy(update={"order_no": "SO26112002"})
    other = (await paid(controls.house, second)).order.order_no
    assert await program.is_refused(other) == ProofCode.TOKEN_INVALID
    assert (await controls.house.client.view(other)).status is OrderStatus.AWAITING_SHIPMENT


@pytest.mark.parametrize(
    "more",
    [
        {"scopes": (ApiScope.ORDERS_READ, ApiScope.RETURNS_WRITE)},
        {"channels": ("another-shop",)},
    ],
)
async def test_neither_another_scope_nor_another_shop_lets_it_cancel(
    controls: Controls, order_no: str, more: dict[str, Any]
) -> None:
    program = Program(controls.house)
    await made(controls, program.wanted(**more))
    assert await program.is_refused(order_no) == ProofCode.WRONG_ROLE
    assert (await controls.house.client.view(order_no)).status is OrderStatus.AWAITING_SHIPMENT
    assert await controls.audited("command.refused") == 1


async def test_it_speaks_for_no_person_of_ours_and_no_other_program(controls: Controls, order_no: str) -> None:
    program, other = Program(controls.house), Program(controls.house, "api/crm")
    await made(controls, program.wanted())
    await made(controls, other.wanted((ApiScope.ORDERS_READ,)))
    assert await program.is_refused(order_no, by="u-cs") == ProofCode.NOT_THE_SENDER
    with pytest.raises(CommandRefused) as refused:
        await other.client(signed_as=ERP).cancel(order_no, CancelOrder(by="B-1", reason="as somebody else"))
    assert refused.value.type == ProofCode.TOKEN_INVALID


async def test_a_program_that_was_deactivated_does_nothing_with_any_of_its_tokens(
    controls: Controls, order_no: str
) -> None:
    program = Program(controls.house)
    await made(controls, program.wanted())
    answer = await controls.client().ask(SetActive(person_id=ERP, active=False), 500_001, "u-admin1")
    assert answer.state == "made"
    assert await program.is_refused(order_no) in (ProofCode.TOKEN_INVALID, ProofCode.PERSON_INACTIVE)
    with pytest.raises(ChangeNotAsked, match="deactivated"):
        await controls.client().ask(Program(controls.house).wanted(), 2, "u-admin1")


def test_every_command_of_services_has_a_scope_and_no_other_command_has_one() -> None:
    given = {row for row, authority in AUTHORITY.items() if authority.service}
    assert set(ASKED_FOR) & set(AUTHORITY) == given


async def test_a_token_is_not_asked_for_without_an_end_for_a_person_or_by_others_than_administrators(
    controls: Controls,
) -> None:
    house = controls.house
    await house.office.people.add("api/human", [], "test", house.now())
    late = house.now().replace(microsecond=0) + timedelta(days=400)
    for change in (Program(house).wanted(expires_at=late), Program(house, "api/human").wanted()):
        with pytest.raises(ChangeNotAsked) as refused:
            await controls.client().ask(change, 1, "u-admin1")
        assert refused.value.type == "ChangeRefused"
    with pytest.raises(CommandRefused) as not_admitted:
        await controls.client().ask(Program(house).wanted(), 1, "u-fin")
    assert not_admitted.value.type == ProofCode.WRONG_ROLE
    assert await house.pool.fetchval("SELECT count(*) FROM api_tokens") == 0
